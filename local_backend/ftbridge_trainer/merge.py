"""Merging an adapter into its base: one model that needs no peft.

The sum W + (alpha / r) B A is made in fp32 on the 16-bit base, never on NF4 weights (which would
add the quantisation's error to the result), and rounded once, when it is stored.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from . import model as models
from .data import sha256_file
from .errors import TrainerError
from .run_dir import read_json, write_json

TOLERANCE = 1e-3  # of the largest logit, in fp32: the proof made after every merge
PROBE_TOKENS = 32


def merge(
    adapter_dir: Path, out_dir: Path, base: str | None = None, dtype: str | None = None
) -> dict[str, Any]:
    """Write base + adapter to `out_dir` as safetensors and return its `merge.json`.

    `base` overrides the base model that the adapter names; `dtype` ("float32", "bfloat16",
    "float16") the number type to store, by default the base's. The merged model must give the
    logits of adapter-on-base in fp32, or nothing is written.
    """
    import torch
    from peft import PeftModel

    config = _adapter_config(adapter_dir)
    name = base or str(config["base_model_name_or_path"])
    model_dir = models.find(name, adapter_dir, offline=True)
    stored = _stored_dtype(model_dir, dtype)
    model = models.load_base(model_dir, torch.float32, "cpu")
    adapted = PeftModel.from_pretrained(model, str(adapter_dir)).eval()
    before = _probe(adapted)
    merged = adapted.merge_and_unload(safe_merge=True)
    difference = float((_probe(merged) - before).abs().max() / before.abs().max())
    if not difference <= TOLERANCE:
        raise TrainerError(
            "merge_differs",
            f"the merged model's logits differ by {difference:.2g} of the largest",
            "use the adapter on its base instead, and report this",
        )
    temporary = out_dir.with_name(f".{out_dir.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    merged.to(getattr(torch, stored)).save_pretrained(temporary)
    models.load_tokenizer(adapter_dir).save_pretrained(temporary)
    about = _about(adapter_dir, name, stored, difference)
    write_json(temporary / "merge.json", about)
    _place(temporary, out_dir)
    return about


def _about(adapter_dir: Path, base: str, dtype: str, difference: float) -> dict[str, Any]:
    return {
        "base_model": base,
        "adapter_sha256": sha256_file(adapter_dir / models.ADAPTER_FILE),
        "dtype": dtype,
        "relative_logit_difference": difference,
        "trained": read_json(adapter_dir / "ftbridge_trainer.json"),
    }


def _adapter_config(adapter_dir: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((adapter_dir / "adapter_config.json").read_text())
    except (OSError, ValueError) as error:
        raise TrainerError(
            "adapter_missing", f"{adapter_dir} holds no adapter", "give a PEFT adapter's folder"
        ) from error
    return config


def _stored_dtype(model_dir: Path, dtype: str | None) -> str:
    from transformers import AutoConfig

    own = AutoConfig.from_pretrained(model_dir, local_files_only=True).dtype
    name = dtype or str(own or "float32").removeprefix("torch.")
    if name not in ("float32", "bfloat16", "float16"):
        raise TrainerError(
            "dtype_unknown", f"can't store a merged model as {name}", "use bfloat16 or float32"
        )
    return name


def _probe(model: Any) -> Any:
    """Logits [T, V] of a fixed sequence."""
    import torch

    ids = torch.arange(PROBE_TOKENS) * 7 % model.config.get_text_config().vocab_size
    with torch.no_grad():
        return model(input_ids=ids.unsqueeze(0), use_cache=False).logits[0].float()


def _place(temporary: Path, out_dir: Path) -> None:
    if out_dir.exists() and any(out_dir.iterdir()) and not (out_dir / "merge.json").exists():
        shutil.rmtree(temporary)
        raise TrainerError(
            "output_not_empty", f"{out_dir} holds other files", "give an empty or a new folder"
        )
    shutil.rmtree(out_dir, ignore_errors=True)
    temporary.rename(out_dir)
