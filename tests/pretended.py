"""Machines that train nothing: a test says when one ends, and what a trainer would have left lies
where it would lie. The real one runs in the tests marked ``training``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIME = "2026-11-25T10:00:00Z"
FINISHED: Mapping[str, Any] = {
    "result.json": {"output": "adapter"},
    "status.json": {
        "state": "succeeded", "step": 2, "total_steps": 2, "trained_tokens": 96, "error": None,
    },
    "checkpoints/step-000001/complete.json": {"step": 1},
    "adapter/adapter_config.json": {"r": 16},
}  # fmt: skip
EVENTS = [
    {"time": TIME, "level": "info", "message": "started", "type": "started"},
    {"time": TIME, "level": "info", "message": "finished", "type": "finished", "step": 2},
]
METRICS = [{"step": step, "time": TIME, "loss": 1.0 / step} for step in (1, 2)]


def leave(out: Path) -> None:
    """Write what a run leaves when it ends well."""
    for name, content in FINISHED.items():
        _write(out / name, json.dumps(content))
    for name, rows in (("events.jsonl", EVENTS), ("metrics.jsonl", METRICS)):
        _write(out / name, "".join(json.dumps(row) + "\n" for row in rows))
    (out / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@dataclass
class Pretended:
    """A machine in place of :class:`ftbridge.testing.rented.Machine`."""

    command: Sequence[str]
    mounts: Mapping[str, Path]
    variables: Mapping[str, str]
    log: Path
    ended: Callable[[int], None]

    @property
    def out(self) -> Path:
        """The folder here that the command calls ``--out``."""
        named = self.command[list(self.command).index("--out") + 1]
        for place, folder in self.mounts.items():
            if named.startswith(f"{place}/"):
                return folder / named.removeprefix(f"{place}/")
        return Path(named)

    def finish(self) -> None:
        """End well."""
        leave(self.out)
        self.ended(0)

    def kill(self) -> None:
        """Be taken away."""
        self.ended(-9)
