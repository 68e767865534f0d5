"""Checkpoints: everything that decides the rest of a run, or nothing.

A checkpoint is written into a temporary folder, its manifest `complete.json` last, and then
renamed. Whatever lacks a manifest, or doesn't match it, is passed over.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import model as models
from .data import sha256_file
from .recipe import Resolved
from .run_dir import read_json, write_json

MANIFEST = "complete.json"
STATE_FILE = "state.pt"  # optimizer and torch's generators: tensors, read with weights_only
POSITION_FILE = "position.json"


@dataclass
class Progress:
    """Where a run stands; `step` optimizer steps are done. Times in seconds over all starts."""

    step: int = 0
    epoch: float = 0.0
    trained_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    train_loss: float | None = None
    valid_loss: float | None = None


def save(
    root: Path, model: Any, optimizer: Any, recipe: Resolved, progress: Progress, recipe_sha: str
) -> Path:
    """Write the checkpoint of the current step, then remove those beyond `keep_checkpoints`."""
    import torch

    root.mkdir(exist_ok=True)
    temporary = root / f".tmp-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    models.save_trainable(model, recipe, temporary)
    torch.save(
        {"optimizer": optimizer.state_dict(), "torch_rng": _torch_rng(recipe.device)},
        temporary / STATE_FILE,
    )
    write_json(temporary / POSITION_FILE, {"progress": asdict(progress), "rng": _python_rng()})
    seal(temporary, progress.step, recipe_sha)
    final = root / f"step-{progress.step:06d}"
    shutil.rmtree(final, ignore_errors=True)  # a damaged one of the same step, or it was complete
    temporary.rename(final)
    _flush(root)
    prune(root, recipe.keep_checkpoints)
    return final


def seal(folder: Path, step: int, recipe_sha: str) -> None:
    """Write the manifest, last: from now on the folder is a whole checkpoint."""
    for file in folder.iterdir():
        _flush(file)
    write_json(
        folder / MANIFEST,
        {
            "step": step,
            "recipe_sha256": recipe_sha,
            "sha256": {file.name: sha256_file(file) for file in sorted(folder.iterdir())},
        },
    )


def newest(root: Path) -> tuple[Path | None, list[str]]:
    """The newest complete checkpoint, and the names of newer ones that are damaged."""
    damaged: list[str] = []
    for folder in sorted(root.glob("step-*"), reverse=True):
        if is_complete(folder):
            return folder, damaged
        damaged.append(folder.name)
    return None, damaged


def is_complete(folder: Path) -> bool:
    """Whether the manifest is there and every file still has the bytes it names."""
    manifest = read_json(folder / MANIFEST)
    hashes = manifest.get("sha256") if manifest else None
    if not isinstance(hashes, dict) or not hashes:
        return False
    return all(
        (folder / name).is_file() and sha256_file(folder / name) == digest
        for name, digest in hashes.items()
    )


def load(folder: Path, model: Any, optimizer: Any, recipe: Resolved) -> Progress:
    """Put model, optimizer and every random generator back to where the checkpoint was made."""
    import numpy
    import torch

    models.load_trainable(model, recipe, folder)
    state = torch.load(folder / STATE_FILE, map_location="cpu", weights_only=True)
    optimizer.load_state_dict(state["optimizer"])
    position = json.loads((folder / POSITION_FILE).read_text("utf-8"))
    version, numbers, gauss = position["rng"]["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = position["rng"]["numpy"]
    numpy.random.set_state((name, numpy.array(keys, dtype=numpy.uint32), *rest))
    torch.set_rng_state(state["torch_rng"]["cpu"])
    if recipe.device == "cuda":
        torch.cuda.set_rng_state_all(state["torch_rng"]["cuda"])
    return Progress(**position["progress"])


def _python_rng() -> dict[str, Any]:
    import numpy

    name, keys, place, has_gauss, gauss = numpy.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": [name, numpy.asarray(keys).tolist(), place, has_gauss, gauss],
    }


def _torch_rng(device: str) -> dict[str, Any]:
    import torch

    cuda = torch.cuda.get_rng_state_all() if device == "cuda" else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def prune(root: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints, and what a killed process left half made."""
    for folder in sorted(root.glob("step-*"))[:-keep]:
        shutil.rmtree(folder, ignore_errors=True)
    for folder in root.glob(".tmp-*"):  # left by a process that was killed; we hold the run lock
        shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    """Force a file's bytes, or a folder's names, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
