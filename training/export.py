"""The last stage of the cross-encoder: its files for onnxruntime, matrices in 8 bits; needs onnx, which the project does not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from training.deformer import LOWER, CrossEncoder, load, tensors


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
    """Write tokenizer.json, lower.onnx and upper.onnx; lower.onnx bears the fingerprint of what the states depend on."""
    model, tokenizer = load(output)
    model.body.set_attn_implementation("eager")
    model.eval()
    to.mkdir(parents=True, exist_ok=True)
    tokenizer.no_truncation()
    tokenizer.save(str(to / "tokenizer.json"))
    ids, mask = tensors(tokenizer, ["kubelet. | it manages the node", "a | b c"])
    states = model.lower(ids, mask).detach()
    _write(Lower(model), (ids, mask), ("ids", "mask"), "states", output / "lower", to)
    _write(Upper(model), (states, mask, states, mask), ("question", "question_mask", "span", "span_mask"), "scores", output / "upper", to)
    _name(to / "lower.onnx", hashlib.sha256((to / "tokenizer.json").read_bytes() + (to / "lower.onnx").read_bytes()).hexdigest()[:16])


def _name(path: Path, fingerprint: str) -> None:
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {"fingerprint": fingerprint})
    onnx.save(model, str(path))


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
