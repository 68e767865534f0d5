"""A merged model as one GGUF file, which llama.cpp, Ollama and LM Studio read.

Llama, Mistral, Qwen 2, 2.5 and 3, dense. Names and layout are those that the package gguf 0.19
maps and that llama.cpp's loader expects: in the llama architecture the rows of q and k are
reordered, since its rotation pairs neighbours where transformers pairs halves. The proof: the file
is read back by transformers and must give the model's own logits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import model as models
from .errors import TrainerError
from .gguf_vocabulary import write_vocabulary
from .run_dir import read_json

ARCHITECTURES = {
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "llama",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
}
# Of the largest logit: what storing the weights in so many bits may change.
TOLERANCES = {"f32": 1e-3, "f16": 1e-2, "bf16": 3e-2, "q8_0": 1e-1}
PROBE_TOKENS = 32
QUANTISED_ROW = 32  # numbers of a q8_0 block; a shorter or odd row stays f16


def to_gguf(model_dir: Path, out: Path, kind: str = "f16") -> float:
    """Write a folder of merged safetensors as one file.

    Args:
        kind: "f32", "f16", "bf16" or "q8_0" (8 bits and a scale for each 32 numbers).

    Returns:
        How far the file's logits are from the model's, as a share of the largest.

    Raises:
        TrainerError: for another architecture or tokenizer, or where the file fails the proof
            (it is removed then).
    """
    if kind not in TOLERANCES:
        raise TrainerError("gguf_kind_unknown", f"no GGUF of {kind}", f"one of {[*TOLERANCES]}")
    config = read_json(model_dir / "config.json")
    if config is None:
        raise TrainerError(
            "gguf_not_possible", f"{model_dir} holds no whole model", "merge the adapter first"
        )
    name = (config.get("architectures") or ["none"])[0]
    if name not in ARCHITECTURES:
        raise TrainerError(
            "gguf_not_possible",
            f"{name} cannot be written as GGUF here",
            f"possible: {', '.join(ARCHITECTURES)}; others by llama.cpp's own converter",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.tmp.gguf")
    try:
        _write(model_dir, config, ARCHITECTURES[name], temporary, kind)
        difference = _difference(model_dir, temporary)
        if not difference <= TOLERANCES[kind]:
            raise TrainerError(
                "gguf_differs",
                f"the file's logits differ by {difference:.2g} of the largest",
                "use the merged folder instead, and report this",
            )
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return difference


def _write(model_dir: Path, config: dict[str, Any], arch: str, out: Path, kind: str) -> None:
    import gguf

    writer = gguf.GGUFWriter(out, arch)
    _write_sizes(writer, config, model_dir.name, kind)
    write_vocabulary(writer, model_dir, int(config["vocab_size"]))
    names = gguf.get_tensor_name_map(
        next(member for member, text in gguf.MODEL_ARCH_NAMES.items() if text == arch),
        int(config["num_hidden_layers"]),
    )
    for name, data in _tensors(model_dir, config, arch):
        known = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if known is None:
            raise TrainerError(
                "gguf_not_possible", f"the tensor {name} has no place in GGUF", "report this"
            )
        _add(writer, known, data, kind)
    if (factors := _rotation_factors(config)) is not None:
        writer.add_tensor("rope_freqs.weight", factors)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_sizes(writer: Any, config: dict[str, Any], name: str, kind: str) -> None:
    import gguf

    heads = int(config["num_attention_heads"])
    width = int(config.get("head_dim") or config["hidden_size"] // heads)
    writer.add_name(name)
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_rope_freq_base(float(_rotation(config).get("rope_theta") or 10_000.0))
    writer.add_vocab_size(int(config["vocab_size"]))
    types = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0"}
    writer.add_file_type(gguf.LlamaFileType[types[kind]])


def _rotation(config: dict[str, Any]) -> dict[str, Any]:
    """The rotation's settings: transformers 5 nests them, 4 had them beside the sizes."""
    old = {"rope_theta": config.get("rope_theta")} | (config.get("rope_scaling") or {})
    return config.get("rope_parameters") or old


def _rotation_factors(config: dict[str, Any]) -> Any:
    """Llama 3.1's stretch of slow rotations, as one divisor a frequency; None where there is none.

    The formula is that of transformers' `llama3` rope initialisation (5.24).
    """
    import numpy

    given = _rotation(config)
    kind = given.get("rope_type") or given.get("type") or "default"
    if kind == "default":
        return None
    if kind != "llama3":
        raise TrainerError(
            "gguf_not_possible", f"rotation of type {kind} is not written", "report this"
        )
    heads = int(config["num_attention_heads"])
    width = int(config.get("head_dim") or config["hidden_size"] // heads)
    factor, context = float(given["factor"]), float(given["original_max_position_embeddings"])
    low, high = float(given["low_freq_factor"]), float(given["high_freq_factor"])
    base = float(given.get("rope_theta") or 10_000.0)
    divisors = []
    for i in range(0, width, 2):
        length = 2 * math.pi * base ** (i / width)
        if length < context / high:
            divisors.append(1.0)
        elif length > context / low:
            divisors.append(factor)
        else:
            smooth = (context / length - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / factor + smooth))
    return numpy.array(divisors, numpy.float32)


def _tensors(model_dir: Path, config: dict[str, Any], arch: str) -> Iterator[tuple[str, Any]]:
    """Every tensor as fp32, in llama.cpp's order of rows."""
    from safetensors import safe_open

    heads = int(config["num_attention_heads"])
    of_key = int(config.get("num_key_value_heads") or heads)
    rows = {"q_proj": heads, "k_proj": of_key} if arch == "llama" else {}
    for file in sorted(model_dir.glob("*.safetensors")):
        with safe_open(file, framework="pt") as stored:
            for name in stored.keys():  # noqa: SIM118  no mapping
                if name == "lm_head.weight" and config.get("tie_word_embeddings"):
                    continue
                data = stored.get_tensor(name).float().numpy()
                part = name.split(".")[-2]
                yield name, _reordered(data, rows[part]) if part in rows else data


def _reordered(data: Any, heads: int) -> Any:
    """The halves of each head interleaved."""
    halves = data.reshape(heads, 2, data.shape[0] // heads // 2, *data.shape[1:])
    return halves.swapaxes(1, 2).reshape(data.shape)


def _add(writer: Any, name: str, data: Any, kind: str) -> None:
    import gguf
    import numpy

    types = gguf.GGMLQuantizationType
    if data.ndim < 2 or kind == "f32":  # norms and biases are few, and matter
        writer.add_tensor(name, data.astype(numpy.float32))
    elif kind == "f16" or (kind == "q8_0" and data.shape[-1] % QUANTISED_ROW):
        writer.add_tensor(name, data.astype(numpy.float16))
    else:
        wanted = types.BF16 if kind == "bf16" else types.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(data, wanted), raw_dtype=wanted)


def _difference(model_dir: Path, file: Path) -> float:
    """How far the file's logits are from the folder's, read back by transformers."""
    import torch
    from transformers import AutoModelForCausalLM

    ours = models.load_base(model_dir, torch.float32, "cpu").eval()
    try:
        read = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype=torch.float32, local_files_only=True
        ).eval()
    except (RuntimeError, ValueError, KeyError) as error:
        # Its reader assumes some sizes (5.24: heads of 128 in Qwen3), so this is no proof of harm.
        raise TrainerError(
            "gguf_not_proven",
            f"transformers cannot read the file back ({type(error).__name__}), so it is unproven",
            "write it with llama.cpp's own converter from the merged folder",
        ) from error
    size = int(ours.config.vocab_size)
    ids = torch.randint(size, (1, PROBE_TOKENS), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        want, got = ours(ids).logits, read(ids).logits
    return float((got - want).abs().max() / want.abs().max())
