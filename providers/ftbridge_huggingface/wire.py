"""A job of the Hub in our words.

Source: ``_jobs_api.py`` of huggingface_hub 2.4.0 (read 2026-11-25). Unverified: the stage of a job
that its time limit has stopped (ERROR or CANCELED), and which seconds are billed of one whose
machine was replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ftbridge.jobs.states import State
from ftbridge.shapes import RemoteJob

LABEL = "ftbridge_key"
"""The label that a job is found by."""
STAGES = {
    "SCHEDULING": State.QUEUED,
    "RUNNING": State.RUNNING,
    "COMPLETED": State.SUCCEEDED,
    "ERROR": State.FAILED,
    "CANCELED": State.CANCELLED,
    "DELETED": State.CANCELLED,
}
ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


def job(info: Any) -> RemoteJob:
    """A ``JobInfo``. The error of a failed one is the stage's message; the trainer knows more."""
    stage = str(getattr(info.status.stage, "value", info.status.stage))
    state = STAGES.get(stage, State.UNKNOWN)
    message = info.status.message or f"the job ended as {stage}"
    return RemoteJob(
        id=info.id,
        state=state,
        raw_state=stage,
        error={"code": stage.lower(), "message": message} if state is State.FAILED else None,
        created_at=_stamp(info.created_at),
        finished_at=_stamp(info.finished_at),
        billed_seconds=_seconds(info) if state in ENDED else None,
        details={"flavor": str(info.flavor), "url": info.url},
    )


def key_of(info: Any) -> str:
    """The key that the job carries; empty where it is none of ours."""
    labels: Mapping[str, str] = info.labels or {}
    return labels.get(LABEL, "")


def _seconds(info: Any) -> Decimal | None:
    """How long it ran, which is what is billed, by the minute."""
    running = info.durations.running_secs if info.durations else None
    return None if running is None else Decimal(running)


def _stamp(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
