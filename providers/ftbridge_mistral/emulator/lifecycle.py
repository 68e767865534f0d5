"""A job's state and object, as a pure function of what was asked, what was done, and the time.

Fields: CompletionFineTuningJobDetails and ClassifierFineTuningJobDetails of mistralai 2.4.13.
Unverified: the names of events, how often checkpoints come, the price (here: none is shown).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from .store import Emulator, Job

TERMINAL = frozenset({"FAILED_VALIDATION", "FAILED", "SUCCESS", "CANCELLED"})
CANCEL_SECONDS = 1.0
CHECKPOINTS = 5


def _elapsed(job: Job, now: float, emulator: Emulator) -> float:
    """The job's own time: it stands still in VALIDATED until somebody starts it."""
    passed = now - job.created
    if job.auto_start:
        return passed
    hold = emulator.timeline.starts("RUNNING")
    if job.started is None:
        return min(passed, emulator.timeline.starts("VALIDATED"))
    return hold + now - job.started


def state(job: Job, now: float, emulator: Emulator) -> str:
    """The raw state at a time."""
    if job.forced is not None:
        return job.forced
    if job.cancelled is not None:
        over = now >= job.cancelled + CANCEL_SECONDS / emulator.speed
        return "CANCELLED" if over else "CANCELLATION_REQUESTED"
    elapsed = _elapsed(job, now, emulator)
    if job.problem is not None and elapsed >= emulator.timeline.starts("VALIDATED"):
        return "FAILED_VALIDATION"
    return emulator.timeline.at(elapsed).state


def model_name(job: Job) -> str:
    """``ft:base:workspace:date:suffix:hash``."""
    day = datetime.fromtimestamp(job.created, UTC).strftime("%Y%m%d")
    mark = hashlib.sha256(job.id.encode()).hexdigest()[:8]
    parts = ["ft", job.body["model"], "5a4db0cf", day, job.body.get("suffix"), mark]
    return ":".join(part for part in parts if part)


def _moments(job: Job, now: float, emulator: Emulator) -> list[tuple[str, float]]:
    """Each state that was entered, with its time, oldest first."""
    timeline = emulator.timeline
    running = timeline.starts("RUNNING")
    late = 0.0 if job.started is None else job.started - job.created - running
    until = now if job.cancelled is None else job.cancelled
    found = []
    for name in [*(phase.state for phase in timeline.phases), timeline.final]:
        at = timeline.starts(name)
        when = job.created + at + (late if at >= running else 0)
        held = not job.auto_start and job.started is None and at >= running
        if held or when > until:
            break
        if job.problem is not None and name == "VALIDATED":
            found.append(("FAILED_VALIDATION", when))
            break
        found.append((name, when))
    if job.cancelled is not None:
        found.append(("CANCELLATION_REQUESTED", job.cancelled))
        ended = job.cancelled + CANCEL_SECONDS / emulator.speed
        if ended <= now:
            found.append(("CANCELLED", ended))
    return found


def _event(job: Job, name: str, when: float) -> dict[str, Any]:
    data: dict[str, Any] = {"status": name}
    if name == "FAILED_VALIDATION":
        data["error"] = job.problem
    return {"name": "status-updated", "created_at": int(when), "data": data}


def steps(job: Job) -> int:
    """The steps of a job: those that were asked for, or eight examples each."""
    asked = job.body["hyperparameters"]
    if asked.get("training_steps"):
        return int(asked["training_steps"])
    return max(1, round(job.data.examples * (asked.get("epochs") or 1) / 8))


def _checkpoints(job: Job, now: float, emulator: Emulator) -> list[dict[str, Any]]:
    started = dict(_moments(job, now, emulator)).get("RUNNING")
    if started is None:
        return []
    lasts = emulator.timeline.lasts("RUNNING")
    until = now if job.cancelled is None else job.cancelled
    found: list[dict[str, Any]] = []
    for number in range(1, CHECKPOINTS + 1):
        when = started + lasts * number / CHECKPOINTS
        step = max(1, steps(job) * number // CHECKPOINTS)
        if when > until or (found and step == found[-1]["step_number"]):
            continue
        loss = round(2 / (1 + number), 4)
        seen = loss if job.body.get("validation_files") else None
        metrics = {"train_loss": loss, "valid_loss": seen}
        metrics["valid_mean_token_accuracy"] = None if seen is None else round(1 - loss / 3, 4)
        found.append({"metrics": metrics, "step_number": step, "created_at": int(when)})
    return found[::-1]


def view(job: Job, now: float, emulator: Emulator, detailed: bool = False) -> dict[str, Any]:
    """The job object; ``detailed`` adds events and checkpoints, as GET of one job does."""
    raw, body = state(job, now, emulator), job.body
    moments = _moments(job, now, emulator)
    done = raw == "SUCCESS"
    shown = {
        "id": job.id,
        "object": "job",
        "auto_start": job.auto_start,
        "model": body["model"],
        "status": raw,
        "job_type": job.kind,
        "created_at": int(job.created),
        "modified_at": int(moments[-1][1]),
        "training_files": [each["file_id"] for each in body.get("training_files", [])],
        "validation_files": body.get("validation_files") or [],
        "hyperparameters": {"learning_rate": 1e-4, **body["hyperparameters"]},
        "fine_tuned_model": model_name(job) if done else None,
        "suffix": body.get("suffix"),
        "integrations": _integrations(job),
        "trained_tokens": job.data.tokens if done else None,
        "metadata": _metadata(job, emulator),
    }
    if job.kind == "completion":
        shown["repositories"] = _repositories(job)
    else:
        named = [{"name": name, "labels": each} for name, each in job.data.labels().items()]
        shown["classifier_targets"] = [
            {"weight": 1.0, "loss_function": "single_class", **each}
            for each in body.get("classifier_targets") or named
        ]
    if detailed:
        shown["events"] = [_event(job, *each) for each in moments[::-1]]
        shown["checkpoints"] = _checkpoints(job, now, emulator)
    return shown


def _integrations(job: Job) -> list[dict[str, Any]]:
    """Without their keys."""
    asked = job.body.get("integrations") or []
    return [{k: v for k, v in each.items() if k != "api_key"} for each in asked]


def _repositories(job: Job) -> list[dict[str, Any]]:
    asked = job.body.get("repositories") or []
    return [
        {"commit_id": "0" * 40, **{k: v for k, v in each.items() if k != "token"}} for each in asked
    ]


def _metadata(job: Job, emulator: Emulator) -> dict[str, Any]:
    return {
        "expected_duration_seconds": int(emulator.timeline.seconds),
        "cost": None,
        "cost_currency": None,
        "train_tokens_per_step": None,
        "train_tokens": job.data.tokens,
        "data_tokens": job.data.tokens,
        "estimated_start_time": None,
    }
