"""Answers about jobs in ftbridge's shapes. Nothing here opens a connection.

From botocore 1.43.117: Get calls the result ``outputModelArn``, List ``customModelArn``. A status
has three phases beside it (``statusDetails``); there is no token count, no price and no event in
any answer, so events are made of the phases' own times.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ftbridge import clock
from ftbridge.jobs.states import State
from ftbridge.provider import RemoteEvent, RemoteJob, RemoteMetric

STATES = {
    "InProgress": State.RUNNING,
    "Stopping": State.RUNNING,
    "Completed": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Stopped": State.CANCELLED,
}
"""The whole enum; InProgress is told apart by its phases."""

PHASES = {
    "validationDetails": ("validation", State.VALIDATING),
    "dataProcessingDetails": ("data processing", State.RUNNING),
    "trainingDetails": ("training", State.RUNNING),
}
_ENDED = {"Completed": "completed", "Failed": "failed", "Stopped": "stopped"}


def stamp(moment: Any) -> str | None:
    """A time as RFC 3339."""
    return clock.stamp(moment) if isinstance(moment, datetime) else None


def job(seen: Mapping[str, Any]) -> RemoteJob:
    """A job as Get or List shows it."""
    raw = str(seen["status"])
    failed = raw == "Failed"
    said = str(seen.get("failureMessage") or "AWS gives no reason")
    succeeded = raw == "Completed"
    model = seen.get("outputModelArn") or seen.get("customModelArn")
    return RemoteJob(
        id=str(seen["jobArn"]),
        state=_state(raw, seen.get("statusDetails", {})),
        raw_state=raw,
        stopping=raw == "Stopping",
        model=str(model) if succeeded and model else None,
        error={"code": raw, "message": said} if failed else None,
        created_at=stamp(seen.get("creationTime")),
        finished_at=stamp(seen.get("endTime")),
        n_epochs=_epochs(seen),
    )


def begun(arn: str) -> RemoteJob:
    """A job of which only its ARN is known: the create's answer. It begins with validation."""
    return RemoteJob(id=arn, state=State.VALIDATING, raw_state="InProgress")


def _state(raw: str, details: Mapping[str, Any]) -> State:
    if raw != "InProgress" or not details:
        return STATES.get(raw, State.UNKNOWN)
    words = {name: details.get(name, {}).get("status", "NotStarted") for name in PHASES}
    if set(words.values()) == {"NotStarted"}:
        return State.QUEUED
    under_way = [PHASES[name][1] for name, word in words.items() if word == "InProgress"]
    return under_way[0] if under_way else State.RUNNING


def _epochs(seen: Mapping[str, Any]) -> int | None:
    config = seen.get("customizationConfig", {}).get("rftConfig", {}).get("hyperParameters", {})
    asked = seen.get("hyperParameters", {}).get("epochCount") or config.get("epochCount")
    return int(asked) if str(asked or "").isdigit() else None


def events(seen: Mapping[str, Any]) -> list[RemoteEvent]:
    """Each phase's begin and end, oldest first, and why the job failed."""
    found: list[RemoteEvent] = []
    for name, (title, _) in PHASES.items():
        phase = seen.get("statusDetails", {}).get(name, {})
        word, since = phase.get("status", "NotStarted"), stamp(phase.get("creationTime"))
        if word != "NotStarted" and since:
            found.append(RemoteEvent(since, "info", f"{title} began", type="phase"))
        last = stamp(phase.get("lastModifiedTime"))
        if word in _ENDED and last:
            level = "error" if word == "Failed" else "info"
            found.append(RemoteEvent(last, level, f"{title} {_ENDED[word]}", type="phase"))
    end = stamp(seen.get("endTime"))
    if seen["status"] == "Failed" and end:
        message = str(seen.get("failureMessage") or "AWS gives no reason")
        found.append(RemoteEvent(end, "error", message))
    return sorted(found, key=lambda event: event.time)


def metrics(path: str, text: str) -> Iterator[RemoteMetric]:
    """The rows of a metrics file of the output location.

    ``step_number``, ``epoch_number``, then losses and a perplexity (docs.aws.amazon.com
    model-customization-analyze, seen 2026-11-25). The perplexity is named after its file, since
    both have one.
    """
    side = "validation" if "validation" in path.rpartition("/")[2] else "training"
    for row in csv.DictReader(text.splitlines()):
        step = _number(row.get("step_number"))
        if step is None:
            continue
        for name, cell in row.items():
            value = _number(cell)
            if name not in ("step_number", "epoch_number") and value is not None:
                shown = f"{side}_{name}" if name == "perplexity" else name
                yield RemoteMetric(int(step), shown, value)


def _number(cell: Any) -> float | None:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if value == value and abs(value) != float("inf") else None
