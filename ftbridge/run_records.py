"""What our trainer writes into its run folder, as the provider protocol shows it.

The folder may lie here or in a store; ``ftbridge_trainer/README.md`` says what is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ftbridge.jobs.states import State
from ftbridge.shapes import RemoteCheckpoint, RemoteEvent, RemoteMetric

STATES = {
    "preparing": State.VALIDATING,
    "queued": State.QUEUED,
    "running": State.RUNNING,
    "cancelling": State.RUNNING,
    "paused": State.PAUSED,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}
"""The trainer's words for a run."""


def rows(text: str) -> list[dict[str, Any]]:
    """The lines of ``events.jsonl`` or ``metrics.jsonl``; half a line at the end is left out."""
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def document(text: str) -> dict[str, Any] | None:
    """The object in a JSON file, or None where it is none."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def events(written: Iterable[Mapping[str, Any]]) -> list[RemoteEvent]:
    """What happened, oldest first."""
    return [
        RemoteEvent(row["time"], row["level"], row["message"], row.get("step"), row["type"])
        for row in written
    ]


def metrics(written: Iterable[Mapping[str, Any]]) -> list[RemoteMetric]:
    """Loss, rate, norm and speed by step."""
    return [
        RemoteMetric(row["step"], name, float(value), row["time"])
        for row in written
        for name, value in row.items()
        if name not in ("step", "time") and isinstance(value, int | float)
    ]


def checkpoints(names: Iterable[str]) -> list[RemoteCheckpoint]:
    """The complete checkpoints, oldest first.

    Args:
        names: those of the files in the folder, as ``checkpoints/step-000010/complete.json``.
    """
    folders = sorted(
        name.split("/")[1]
        for name in names
        if name.startswith("checkpoints/step-") and name.endswith("/complete.json")
    )
    return [RemoteCheckpoint(name, int(name.removeprefix("step-")), None) for name in folders]
