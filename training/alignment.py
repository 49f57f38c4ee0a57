"""The first stage of the cross-encoder: an English sentence encoder learns Chinese.

Chinese words are added to its vocabulary, each starting from the mean of the vectors of the English words
nearest to it in the bundled bilingual table (WECHSEL, Minixhofer et al. 2022), and the whole is taught to give a
Chinese sentence the vector that the English model gives its rendition (Reimers & Gurevych 2020, with a
contrastive loss beside theirs).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from tqdm import tqdm
from transformers import AutoModel

from assistant.static import StaticModel
from assistant.text import CJK, fold
from training.data import read_folder, read_sentences
from training.deformer import SEED, CrossEncoder, mean_of, save, tensors

CHINESE_WORDS = 12_000
LONGEST_WORD = 4
NEAREST = 10  # English words that a Chinese one starts from
TEMPERATURE = 0.1  # of their weights
BATCH, LONGEST = 96, 64  # texts; tokens
BODY_RATE, WORDS_RATE = 5e-5, 1e-3
SCALE = 20.0


def align(teacher: Path, data: Path, sentences: Path | None, output: Path, steps: int) -> None:
    """Teach the encoder Chinese: a Chinese sentence is to have the vector of its English rendition."""
    torch.manual_seed(SEED)
    order = random.Random(SEED)
    static = StaticModel.load()
    pairs = [(en, fold(zh)) for en, zh in read_folder(data)["aligned"] if 3 < len(zh) <= 90 and 10 < len(en) <= 240]
    pairs += read_sentences(sentences) if sentences else []
    pairs = list(dict.fromkeys(pairs))
    tokenizer, words, rows = make_tokenizer(teacher, [zh for _, zh in pairs], static)
    body = AutoModel.from_pretrained(teacher)
    model = CrossEncoder(body, rows, starting_vectors(words, teacher, body.embeddings.word_embeddings.weight.detach().numpy(), static))
    guide = AutoModel.from_pretrained(teacher).eval()
    print(len(pairs), "pairs,", len(words), "Chinese words", flush=True)
    optimizer = torch.optim.AdamW(
        [{"params": [p for n, p in body.named_parameters() if "word_embeddings" not in n and "pooler" not in n], "lr": BODY_RATE}, {"params": [model.words], "lr": WORDS_RATE}],
        weight_decay=0.0,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [BODY_RATE, WORDS_RATE], total_steps=steps, pct_start=0.1)
    model.train()
    bar = tqdm(islice(batches(tokenizer, [zh for _, zh in pairs], BATCH, LONGEST, order), steps), total=steps, mininterval=20)
    for chosen, ids, mask in bar:
        english_ids, english_mask = tensors(tokenizer, [pairs[i][0] for i in chosen])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            with torch.no_grad():
                target = nn.functional.normalize(mean_of(guide(english_ids, attention_mask=english_mask).last_hidden_state, english_mask).float(), dim=-1)
            vectors = model.sentence(ids, mask).float()
            loss = nn.functional.cross_entropy(SCALE * vectors @ target.T, torch.arange(len(chosen))) + 4 * (1 - (vectors * target).sum(-1)).mean()
            if order.random() < 0.25:  # what it knows of English stays
                again = model.sentence(english_ids, english_mask).float()
                loss = loss + 4 * (1 - (again * target).sum(-1)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=f"{loss.item():.3f}")
    save(model, tokenizer, output)


def make_tokenizer(teacher: Path, texts: Iterable[str], static: StaticModel) -> tuple[Tokenizer, list[str], np.ndarray]:
    """The teacher's word pieces and the commonest Chinese ones; also the Chinese words, and the table row of each token id."""
    known: dict[str, int] = Tokenizer.from_file(str(teacher / "tokenizer.json")).get_vocab()
    pieces = {piece for piece in static.tokenizer.get_vocab() if re.fullmatch(f"{CJK.pattern}{{1,{LONGEST_WORD}}}", piece)}
    counts = Counter(token for text in texts for token in static.tokenizer.encode(text, add_special_tokens=False).tokens if token in pieces)
    counts.update({piece: 1 for piece in pieces if len(piece) == 1})
    words = [word for word, _ in counts.most_common(CHINESE_WORDS)]
    vocabulary, rows = dict(known), dict(zip(known.values(), known.values(), strict=True))
    for position, word in enumerate(words):
        for form in (word, "##" + word):  # a word piece within a run of characters is the same word
            rows[vocabulary.setdefault(form, len(vocabulary))] = len(known) + position
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=200))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.BertNormalizer(lowercase=True, strip_accents=True, handle_chinese_chars=False)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), pre_tokenizers.UnicodeScripts()])
    special = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")])
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    return tokenizer, words, np.array([rows[i] for i in range(len(vocabulary))], np.int64)


def starting_vectors(words: Sequence[str], teacher: Path, table: np.ndarray, static: StaticModel) -> np.ndarray:
    """(words, width) float32: of each Chinese word the weighted mean of its nearest English words' vectors in the teacher's table."""
    vocabulary = Tokenizer.from_file(str(teacher / "tokenizer.json")).get_vocab()
    english = [(word, row) for word, row in vocabulary.items() if word.isascii() and word.isalpha() and static.knows(word)]
    there = static.encode([word for word, _ in english])
    vectors = table[[row for _, row in english]]
    result = np.zeros((len(words), table.shape[1]), np.float32)
    for start in range(0, len(words), 1_000):
        close = static.encode(words[start : start + 1_000]) @ there.T
        nearest = np.argpartition(-close, NEAREST, axis=1)[:, :NEAREST]
        weights = np.exp(np.take_along_axis(close, nearest, 1) / TEMPERATURE)
        result[start : start + len(close)] = np.einsum("nk,nkd->nd", weights / weights.sum(1, keepdims=True), vectors[nearest])
    return result


def batches(tokenizer: Tokenizer, texts: Sequence[str], size: int, longest: int, order: random.Random) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Positions, ids and mask of batches of texts of like length, in an order by chance, without end."""
    tokenizer.enable_truncation(longest)
    lengths = [len(e.ids) for e in tokenizer.encode_batch(list(texts))]
    while True:
        positions = sorted(range(len(texts)), key=lambda i: lengths[i] + order.random() * 4)
        starts = list(range(0, len(positions), size))
        order.shuffle(starts)
        for start in starts:
            chosen = positions[start : start + size]
            yield chosen, *tensors(tokenizer, [texts[i] for i in chosen])
