"""A run folder as the provider protocol shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftbridge import run_records, vendor_errors
from ftbridge.jobs.states import State
from ftbridge.provider import RemoteCheckpoint, RemoteEvent, RemoteJob, RemoteMetric
from ftbridge_local.runs import INTERRUPTED, Run

STATES = run_records.STATES | {INTERRUPTED: State.PAUSED}


def job(remote_id: str, run: Run) -> RemoteJob:
    """The run now."""
    status, result = run.status(), run.result()
    raw, steps = status["state"], status.get("total_steps") or 0
    succeeded = raw == "succeeded" and result is not None
    return RemoteJob(
        id=remote_id,
        state=STATES.get(raw, State.UNKNOWN),
        raw_state=raw,
        stopping=raw == "cancelling" or (run.path / "cancel").exists(),
        model=str(run.path / result["output"]) if succeeded and result else None,
        error=_error(raw, status),
        created_at=status.get("started_at"),
        finished_at=status.get("ended_at"),
        trained_tokens=status.get("trained_tokens") if succeeded else None,
        progress=status.get("step", 0) / steps if steps else None,
        details=status | {"folder": str(run.path)},
    )


def events(run: Run) -> list[RemoteEvent]:
    """What happened, oldest first."""
    return run_records.events(run.rows("events"))


def metrics(run: Run) -> list[RemoteMetric]:
    """Loss, rate, norm and speed by step."""
    return run_records.metrics(run.rows("metrics"))


def checkpoints(run: Run) -> list[RemoteCheckpoint]:
    """The complete checkpoints, oldest first."""
    found = run.path.glob("checkpoints/step-*/complete.json")
    return run_records.checkpoints(path.relative_to(run.path).as_posix() for path in found)


def _error(raw: str, status: Mapping[str, Any]) -> dict[str, str] | None:
    """Code and message of the trainer, with the next step that ``errors.toml`` knows better in
    the words of the command line."""
    error = status.get("error")
    if raw == INTERRUPTED:
        error = {"code": "worker_died", "message": "its process is gone"}
    if not error:
        return None
    found = {str(name): str(value) for name, value in error.items()}
    row = vendor_errors.find(Path(__file__).parent, None, found.get("code"), None)
    return found | {"hint": row.hint} if row else found
