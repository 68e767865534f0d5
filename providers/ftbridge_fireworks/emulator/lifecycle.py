"""A job's state and object, as a pure function of what was asked, what was done, and the time.

The eighteen states are the SDK's. Their order is a guess: CREATING, VALIDATING, PENDING, RUNNING,
WRITING_RESULTS, COMPLETED, with CANCELLING for a moment before CANCELLED. Unverified too: that
``estimatedCost`` stands on every later answer but not on that of the create, and which fields an
unfinished job leaves out.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.timeline import Timeline

from .paging import name
from .store import Emulator, Job, stamp

TERMINAL = frozenset(
    f"JOB_STATE_{word}" for word in ("COMPLETED", "FAILED", "CANCELLED", "EXPIRED", "EARLY_STOPPED")
)
CANCEL_SECONDS = 1.0


def _failed_at(job: Job, timeline: Timeline) -> float:
    return timeline.starts("JOB_STATE_PENDING")


def state(job: Job, now: float, emulator: Emulator) -> str:
    """The raw state at a time."""
    if job.forced is not None:
        return job.forced
    if job.cancelled_at is not None:
        over = now >= job.cancelled_at + CANCEL_SECONDS / emulator.speed
        return "JOB_STATE_CANCELLED" if over else "JOB_STATE_CANCELLING"
    if job.suspended:
        return "JOB_STATE_PAUSED"
    elapsed = job.watch.elapsed(now)
    if job.failure is not None and elapsed >= _failed_at(job, emulator.timeline):
        return "JOB_STATE_FAILED"
    return emulator.timeline.at(elapsed).state


def completed_at(job: Job, now: float, emulator: Emulator) -> float | None:
    """When it ended; None while it goes on."""
    raw = state(job, now, emulator)
    if raw not in TERMINAL:
        return None
    if job.cancelled_at is not None:
        return job.cancelled_at + CANCEL_SECONDS / emulator.speed
    timeline = emulator.timeline
    elapsed = _failed_at(job, timeline) if job.failure else timeline.seconds
    return min(now, job.watch.moment(elapsed))


def _progress(job: Job, now: float, emulator: Emulator) -> dict[str, int]:
    timeline = emulator.timeline
    begun = timeline.starts("JOB_STATE_RUNNING")
    passed = (job.watch.elapsed(now) - begun) / timeline.lasts("JOB_STATE_RUNNING")
    share = min(max(passed, 0.0), 1.0)
    if job.failure is not None or share == 0:
        return {"percent": 0}
    epochs = job.settings.get("epochs", 1)
    return {
        "percent": int(100 * share),
        "epoch": min(int(share * epochs), epochs - 1),
        "inputTokens": int(job.data.tokens * epochs * share),
    }


def _cost(job: Job, emulator: Emulator) -> dict[str, Any]:
    tokens = job.data.tokens * job.settings.get("epochs", 1)
    nanos = round(tokens * emulator.store.usd_per_million * 1000)
    units, rest = divmod(nanos, 1_000_000_000)
    return {"currencyCode": "USD", "units": str(units), "nanos": rest}


def _status(job: Job, raw: str) -> dict[str, str]:
    if raw == "JOB_STATE_FAILED" and job.failure is not None:
        return {"code": job.failure.code, "message": job.failure.message}
    if raw == "JOB_STATE_CANCELLED":
        return {"code": "CANCELLED", "message": ""}
    return {"code": "OK", "message": ""}


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what is a secret."""
    if "wandbConfig" not in body:
        return body
    wandb = {key: value for key, value in body["wandbConfig"].items() if key != "apiKey"}
    return {**body, "wandbConfig": wandb}


def view(job: Job, now: float, emulator: Emulator, created: bool = False) -> dict[str, Any]:
    """The job object; ``created`` is the answer of the create itself."""
    raw = state(job, now, emulator)
    ended = completed_at(job, now, emulator)
    shown = {
        **_shown(job.body),
        "name": name(job.kind, job.id),
        "state": raw,
        "status": _status(job, raw),
        "createTime": stamp(job.watch.started),
        "createdBy": "someone@example.com",
    }
    output = {"outputModel": name("models", job.output_model)}
    if job.kind != "dpoJobs":
        shown["jobProgress"] = _progress(job, now, emulator)
    if job.kind == "supervisedFineTuningJobs":
        shown |= {**output, "updateTime": stamp(now)}
        if not created:
            shown["estimatedCost"] = _cost(job, emulator)
    else:
        shown["trainingConfig"] = {**job.settings, **output}
    if job.kind == "reinforcementFineTuningJobs" and ended is not None:
        seconds = int(job.watch.elapsed(ended))
        shown["acceleratorSeconds"] = {"NVIDIA_H100_80GB": str(seconds)}
    if ended is not None:
        shown["completedTime"] = stamp(ended)
    return shown
