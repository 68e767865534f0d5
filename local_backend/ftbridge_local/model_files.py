"""What a model directory holds, read without torch: manifest, configuration, headers."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftbridge.errors import ProviderError

MANIFEST = "ftbridge-model.json"
_MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors format itself
_DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32", "F64": "float64"}


class LocalModelError(ProviderError):
    """A base model cannot be used; `hint` says what to do."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message, code=code, hint=hint, where="model")


@dataclass(frozen=True)
class ModelDescription:
    """What a model directory says of itself. `n_params` counts stored values, so that tied
    embeddings count once; `context` is in tokens, None where the configuration is silent."""

    n_params: int
    context: int | None
    architecture: str
    dtype: str
    chat_template: bool


def describe(path: Path) -> ModelDescription:
    """Read config.json and the safetensors headers; torch is not imported, no weight is read."""
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config", config)  # multimodal configurations nest the language part
    count, by_dtype = 0, Counter[str]()
    for shard in shards(path):
        for tensor, entry in _safetensors_header(shard).items():
            if tensor != "__metadata__":
                size = math.prod(entry["shape"])
                count += size
                by_dtype[entry["dtype"]] += size
    stored = by_dtype.most_common(1)[0][0] if by_dtype else "unknown"
    return ModelDescription(
        n_params=count,
        context=text.get("max_position_embeddings"),
        architecture=(config.get("architectures") or [config.get("model_type", "unknown")])[0],
        dtype=_DTYPES.get(stored, stored.lower()),
        chat_template=_has_chat_template(path),
    )


def is_complete(directory: Path, *, hashes: bool) -> bool:
    """Whether the manifest is there and what it lists is too; it is written last."""
    try:
        files = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))["files"]
        for name, entry in files.items():
            if (directory / name).stat().st_size != entry["bytes"]:
                return False
            if hashes and sha256(directory / name) != entry["sha256"]:
                return False
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool(files)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shards(path: Path) -> list[Path]:
    """The safetensors files that make up the model; the index rules where there is one."""
    index = path / "model.safetensors.index.json"
    if index.is_file():
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return [path / name for name in sorted(set(names))]
    single = path / "model.safetensors"
    found = [single] if single.is_file() else sorted(path.glob("*.safetensors"))
    if not found:
        raise LocalModelError(
            "weights_missing",
            f"{path} holds no safetensors file",
            "save the model with save_pretrained, which writes model.safetensors",
        )
    return found


def _safetensors_header(path: Path) -> dict[str, Any]:
    """Format: https://huggingface.co/docs/safetensors, 8 bytes little-endian length, then JSON."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        raw = file.read(length) if length <= _MAX_HEADER_BYTES else b""
    try:
        header: dict[str, Any] = json.loads(raw)
    except ValueError as error:
        raise LocalModelError(
            "weights_damaged", f"{path} is not a safetensors file", "fetch or save the model again"
        ) from error
    return header


def _has_chat_template(path: Path) -> bool:
    if (path / "chat_template.jinja").is_file():
        return True
    settings = path / "tokenizer_config.json"
    return settings.is_file() and bool(
        json.loads(settings.read_text(encoding="utf-8")).get("chat_template")
    )
