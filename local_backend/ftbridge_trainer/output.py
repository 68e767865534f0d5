"""What a run leaves behind: the adapter (or model), and the result that says how it was made."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import __version__, checkpoint
from . import model as models
from .items import Item
from .recipe import Resolved
from .run_dir import RunDir, peak_rss_mb, write_json

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "safetensors", "tokenizers", "numpy")


def save(
    run: RunDir,
    model: Any,
    tokenizer: Any,
    model_dir: Path,
    resolved: Resolved,
    made: dict[str, Any],
) -> Path:
    """Write `adapter/` (or `model/`) beside its final place and move it there whole."""
    folder = run.path / ("model" if resolved.adapter == "full" else "adapter")
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    if resolved.adapter == "full":
        models.save_full(model, model_dir, temporary)
    else:
        models.save_trainable(model, resolved, temporary)
    tokenizer.save_pretrained(temporary)
    write_json(temporary / "ftbridge_trainer.json", {**made, "recipe": resolved.values()})
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return folder


def report(
    resolved: Resolved,
    folder: Path,
    progress: checkpoint.Progress,
    examples: Sequence[Item],
    made: dict[str, Any],
) -> dict[str, Any]:
    """The content of `result.json`; losses are means in nats over trained tokens."""
    return {
        "base_model": resolved.model,
        "adapter": resolved.adapter,
        "output": folder.name,
        "method": resolved.method,
        "examples": len(examples),
        "steps": progress.step,
        "epochs": resolved.n_epochs,
        "trained_tokens": progress.trained_tokens,
        "train_tokens": progress.tokens,
        "final_train_loss": progress.train_loss,
        "valid_loss": progress.valid_loss,
        "seconds": round(progress.seconds, 3),
        "peak_rss_mb": peak_rss_mb(),
        "tokens_per_second": round(progress.tokens / max(progress.seconds, 1e-9), 1),
        **made,
    }


def versions() -> dict[str, str]:
    """What this run was made with."""
    found = {"ftbridge_trainer": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
