"""What the defaults depend on: the machine, the base model, the data. Standard library only."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import TrainerError

CPU_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # x86, x86, Arm


@dataclass(frozen=True)
class Machine:
    """Where the run happens. Memory in bytes: what is free now on the device that trains."""

    device: str = "cpu"
    cores: int = 1
    bf16: bool = False
    memory: int = 8 << 30


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder-only model, as its `config.json` names them."""

    hidden: int = 576
    layers: int = 30
    ffn: int = 1536
    vocab: int = 49152
    context: int = 2048


@dataclass(frozen=True)
class DataFacts:
    """Lengths in tokens of the rendered sequences; `padding` is the share of a padded batch.

    `parts` sequences make an item: two in a preference pair.
    """

    longest: int = 0
    mean: float = 0.0
    mean_trained: float = 0.0
    padding: float = 0.0
    parts: int = 1


@dataclass(frozen=True)
class Facts:
    """Everything that `recipe.resolve` may look at beside the recipe itself."""

    machine: Machine = Machine()
    shape: Shape = Shape()
    data: DataFacts = DataFacts()


def read_shape(model_dir: Path) -> Shape:
    """Read the sizes from `config.json`; a composite model nests them in `text_config`."""
    config = _read_config(model_dir)
    text: dict[str, Any] = config.get("text_config") or config
    hidden = int(text.get("hidden_size") or 1024)
    return Shape(
        hidden=hidden,
        layers=int(text.get("num_hidden_layers") or 24),
        ffn=int(text.get("intermediate_size") or 4 * hidden),
        vocab=int(text.get("vocab_size") or 32000),
        context=int(text.get("max_position_embeddings") or 2048),
    )


def count_parameters(model_dir: Path) -> int:
    """Number of parameters, from the headers of the safetensors files (nothing is loaded)."""
    if "quantization_config" in _read_config(model_dir):
        raise TrainerError(
            "base_is_quantised",
            f"{model_dir} holds a model that is already quantised",
            "give the 16-bit model; the trainer quantises it itself (adapter qlora)",
        )
    files = sorted(model_dir.glob("*.safetensors"))
    if not files:
        raise TrainerError(
            "model_not_usable",
            f"{model_dir} holds no *.safetensors file",
            "convert the model to safetensors first; other weight files are not loaded",
        )
    return sum(_count_in_file(file) for file in files)


def _count_in_file(file: Path) -> int:
    # safetensors: 8 bytes little-endian length, then that many bytes of JSON
    with file.open("rb") as stream:
        (size,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(size))
    total = 0
    for name, entry in header.items():
        if name != "__metadata__":
            count = 1
            for length in entry["shape"]:
                count *= length
            total += count
    return total


def _read_config(model_dir: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((model_dir / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError(
            "model_not_usable",
            f"{model_dir} has no readable config.json",
            "give a folder in the Hugging Face format",
        ) from error
    return config


def available_cores() -> int:
    """Cores that this process may use (a container often allows fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 in hardware at all; `bf16` tells whether that pays."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            return not CPU_BF16_FLAGS.isdisjoint(line.split())
    return False


def available_memory() -> int:
    """Bytes of main memory that are free now, or the control group's limit if that is less."""
    free = 8 << 30
    try:
        for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    except OSError:
        return free
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text("utf-8").strip()
        except OSError:
            continue
        if text.isdigit():
            free = min(free, int(text))
    return free
