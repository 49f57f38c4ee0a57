"""The cross-encoder while it is trained: its two parts, and what is kept between stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel

SEED = 7
LOWER = 4  # layers of six that read a text by itself


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
        return nn.functional.normalize(mean_of(self.layers(self.lower(ids, mask), mask, slice(LOWER, None)), mask), dim=-1)

    def upper(self, question: torch.Tensor, question_mask: torch.Tensor, span: torch.Tensor, span_mask: torch.Tensor) -> torch.Tensor:
        """Scores, (n,), of n questions and n spans, given as states of the lower layers."""
        length = question.shape[1]
        states = self.layers(torch.cat([question, span], 1), torch.cat([question_mask, span_mask], 1), slice(LOWER, None))
        question, span = states[:, :length], states[:, length:]
        u, v = mean_of(question, question_mask), mean_of(span, span_mask)
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


def mean_of(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def tensors(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, (texts, tokens)."""
    tokenizer.enable_padding(pad_id=0)
    encoded = tokenizer.encode_batch(list(texts))
    tokenizer.no_padding()
    return torch.tensor([e.ids for e in encoded]), torch.tensor([e.attention_mask for e in encoded])


def save(model: CrossEncoder, tokenizer: Tokenizer, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"))
    torch.save({"config": model.body.config, "state": model.state_dict(), "known": model.known}, output / "model.pt")


def load(output: Path) -> tuple[CrossEncoder, Tokenizer]:
    record = torch.load(output / "model.pt", weights_only=False)
    record["config"].attention_probs_dropout_prob = 0.0  # a fifth of the time of a step, and the other dropout does as well
    body = AutoModel.from_config(record["config"], attn_implementation="eager")
    model = CrossEncoder(body, record["state"]["rows"].numpy(), record["state"]["words"].float().numpy())
    model.load_state_dict(record["state"], strict=False)  # the first stage has no head
    model.known = record["known"]
    return model, Tokenizer.from_file(str(output / "tokenizer.json"))
