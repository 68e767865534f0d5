"""How fast this machine trains: what its own runs measured, or a short calibration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from ftbridge_local.runs import Run

WORDS = "please check the order status and tell the customer when the parcel will arrive today"


class Speed(NamedTuple):
    """Processed tokens per second of training, and where that was measured."""

    tokens_per_second: float
    origin: str


def measured(home: Path, model: str, adapter: str) -> Speed | None:
    """The newest finished run of this base model and adapter on this machine."""
    found: list[tuple[float, float]] = []
    for folder in (home / "local").glob("*/*/result.json"):
        result = Run(folder.parent).result() or {}
        recipe = _recipe(folder.parent)
        if recipe.get("model") == model and result.get("adapter") == adapter:
            found.append((folder.stat().st_mtime, result["tokens_per_second"]))
    if not found:
        return None
    return Speed(max(found)[1], "measured in the newest run here")


def calibration_rows(count: int = 24) -> list[str]:
    """Synthetic chats of a usual size, for measuring alone."""
    words = WORDS.split()
    rows = []
    for index in range(count):
        text = " ".join(words[(index + step) % len(words)] for step in range(90))
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": text[:120]}]
        rows.append(json.dumps({"messages": turns}))
    return rows


def _recipe(folder: Path) -> dict[str, object]:
    try:
        content = json.loads((folder / "recipe.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
