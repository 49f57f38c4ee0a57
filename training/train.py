"""Train the bundled static bilingual embedding model: a token table and the mean of its rows.

    python -m training.train --data DIR --output assistant/model

DIR holds `*.jsonl` or `*.jsonl.gz`: records with `en` and `zh` (aligned blocks of parallel
documentation) or with `title_and_heading` and `body` (a heading and the section below it).

Method: a Unigram vocabulary (Kudo 2018) over NFKC lower case, cut at script boundaries; a table of
token vectors trained with in-batch negatives in both directions (Henderson et al. 2017), each
block's vector being the mean of its tokens (sentence-transformers' StaticEmbedding). The table is
stored in 16 bits. The inverse document frequency of each token is stored beside it, for late
interaction. Fixed seeds; about four minutes on two cores.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from tqdm import tqdm

SEED = 7
VOCABULARY = 40_000  # 48,000 with 16 bits passes 25 MB
DIMENSION = 256
BATCH = 1_024
EPOCHS = 10
RATE = 0.02
SCALE = 20.0
LONGEST = 192  # tokens of a block; longer ones are cut


def read_pairs(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (text, text) of every record, files in name order."""
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if "en" in record:
                    yield record["en"], record["zh"]
                else:
                    yield record["title_and_heading"], record["body"]


def make_tokenizer(texts: Iterator[str]) -> Tokenizer:
    """Learn the vocabulary."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.UnicodeScripts()])
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=["[PAD]", "[UNK]"], unk_token="[UNK]", max_piece_length=16
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def bags(rows: list[list[int]], chosen: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay the chosen token lists end to end, with the offset of each, as EmbeddingBag takes them."""
    lengths = [len(rows[i]) for i in chosen]
    flat = torch.tensor([token for i in chosen for token in rows[i]], dtype=torch.long)
    return flat, torch.tensor([0, *np.cumsum(lengths)[:-1]], dtype=torch.long)


def train_table(left: list[list[int]], right: list[list[int]], vocabulary: int) -> np.ndarray:
    """Train the table, (vocabulary, DIMENSION) float32."""
    torch.manual_seed(SEED)
    bag = torch.nn.EmbeddingBag(vocabulary, DIMENSION, mode="mean")
    torch.nn.init.normal_(bag.weight, std=0.1)
    steps = EPOCHS * (len(left) // BATCH)
    optimizer = torch.optim.Adam(bag.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    order = list(range(len(left)))
    shuffler = random.Random(SEED)
    with tqdm(total=steps, desc="training", unit="step") as progress:
        for _ in range(EPOCHS):
            shuffler.shuffle(order)
            for start in range(0, len(order) - BATCH + 1, BATCH):
                chosen = order[start : start + BATCH]
                a = torch.nn.functional.normalize(bag(*bags(left, chosen)))
                b = torch.nn.functional.normalize(bag(*bags(right, chosen)))
                scores = SCALE * a @ b.T
                target = torch.arange(len(chosen))
                loss = torch.nn.functional.cross_entropy(scores, target)
                loss = (loss + torch.nn.functional.cross_entropy(scores.T, target)) / 2
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
                progress.update()
                progress.set_postfix(loss=f"{loss.item():.3f}")
    return bag.weight.detach().numpy()


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
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of *.jsonl or *.jsonl.gz")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    options = parser.parse_args()
    random.seed(SEED)
    pairs = list(read_pairs(options.data))
    tokenizer = make_tokenizer(text for pair in pairs for text in pair)
    left = [e.ids[:LONGEST] for e in tokenizer.encode_batch([a for a, _ in pairs])]
    right = [e.ids[:LONGEST] for e in tokenizer.encode_batch([b for _, b in pairs])]
    kept = [i for i in range(len(pairs)) if left[i] and right[i]]
    left, right = [left[i] for i in kept], [right[i] for i in kept]
    vocabulary = tokenizer.get_vocab_size()
    table = train_table(left, right, vocabulary)
    save(options.output, tokenizer, table, token_weights(left + right, vocabulary))


if __name__ == "__main__":
    main()
