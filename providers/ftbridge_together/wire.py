"""Together's answers as ours: jobs, events, metrics, checkpoints, files and chats.

Shapes: the types of ``together`` 3.1.1 and togethercomputer/openapi, openapi.yaml of 2026-04-28
(read 2026-11-25). Unverified: what ``token_count`` and ``total_price`` (an integer of no stated
unit) count, and the names of the metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftbridge import clock
from ftbridge.errors import UsageError, VendorError
from ftbridge.jobs.states import State
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    FileState,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
    RemoteMetric,
)
from ftbridge_together.request import mark

STATES = {
    "pending": State.QUEUED,
    "queued": State.QUEUED,
    "running": State.RUNNING,
    "compressing": State.RUNNING,
    "uploading": State.RUNNING,
    "cancel_requested": State.RUNNING,
    "cancelled": State.CANCELLED,
    "error": State.FAILED,
    "completed": State.SUCCEEDED,
}
ENDED = frozenset({"cancelled", "error", "completed"})
WAITING = frozenset({"PENDING", "QUEUED", "RUNNING"})
"""``processing_status`` of a file that is not validated yet."""
DAY_SECONDS = 86_400.0
LEVELS = {"legacy_info": "info", "legacy_iwarning": "warning", "legacy_ierror": "error"}


def job(data: Mapping[str, Any]) -> RemoteJob:
    """A job object, whole or truncated. An unlisted status is ``unknown``, its word kept."""
    raw = str(data["status"])
    state = STATES.get(raw, State.UNKNOWN)
    happened = data.get("events") or []
    shown = {name: data[name] for name in ("total_price", "from_checkpoint", "wandb_url")
             if data.get(name)}  # fmt: skip
    return RemoteJob(
        id=data["id"],
        state=state,
        raw_state=raw,
        stopping=raw == "cancel_requested",
        # the name is there from the start, the model is not
        model=data.get("model_output_name") if state is State.SUCCEEDED else None,
        error=_error(happened) if state is State.FAILED else None,
        created_at=_moment(data.get("created_at")),
        finished_at=_moment(data.get("updated_at")) if raw in ENDED else None,
        trained_tokens=data.get("token_count") if raw in ENDED else None,
        progress=_progress(happened) if state is State.RUNNING else None,
        n_epochs=data.get("n_epochs"),
        details=shown,
    )


def search(listed: Sequence[Mapping[str, Any]], key: str) -> str | None:
    """The id of the listed job that bears the key's mark, in its suffix or its model's name.

    Raises:
        VendorError: a job of the last day shows neither, so that ours may be there unseen.
    """
    now, mute = clock.real_now(), ""
    for data in listed:
        shown = [str(data[name]) for name in ("suffix", "model_output_name") if data.get(name)]
        if any(mark(key) in text.lower() for text in shown):
            return str(data["id"])
        made = _moment(data.get("created_at"))
        fresh = made is None or (now - clock.parse(made)).total_seconds() < DAY_SECONDS
        if not shown and fresh:
            mute = str(data["id"])
    if mute:
        raise VendorError(
            f"Together shows no suffix of {mute}, so that a job of ours cannot be told",
            hint="look in Together's console whether the job was made, then `ftbridge resolve "
            "JOB --remote-id ID` or `--none`",
            vendor_code="no_suffix",
        )
    return None


def events(items: Sequence[Mapping[str, Any]]) -> list[RemoteEvent]:
    """Events, oldest first. They have no id; ``hash`` is one where it is filled."""
    found = [
        RemoteEvent(
            time=_moment(item["created_at"]) or str(item["created_at"]),
            level=LEVELS.get(item.get("level") or "info", item.get("level") or "info"),
            message=item["message"],
            step=item.get("step") or None,
            type=item.get("type") or "message",
            id=item.get("hash") or None,
        )
        for item in items
    ]
    return sorted(found, key=lambda event: event.time)


def metrics(rows: Sequence[Mapping[str, float]]) -> list[RemoteMetric]:
    """One row a step, under the vendor's own names."""
    return [
        RemoteMetric(int(row["global_step"]), name, float(value))
        for row in rows
        for name, value in row.items()
        if name != "global_step" and isinstance(value, int | float)
    ]


def checkpoints(remote_id: str, items: Sequence[Mapping[str, Any]]) -> list[RemoteCheckpoint]:
    """Checkpoints by step; the id is what option ``from_checkpoint`` takes. None can be asked."""
    found = [
        RemoteCheckpoint(
            id=f"{remote_id}:{item['step']}",
            step=int(item["step"]),
            model=None,
            created_at=_moment(item.get("created_at")),
        )
        for item in items
        if item["step"] > 0
    ]
    return sorted(found, key=lambda point: point.step)


def file_state(data: Mapping[str, Any]) -> FileState:
    """Whether the vendor has validated a file; older ones have no ``processing_status``."""
    status = data.get("processing_status")
    if status in ("FAILED", "INVALID_FORMAT"):
        report = data.get("validation_report") or {}
        return FileState(ready=False, error=str(report.get("error") or f"it is {status}"))
    return FileState(ready=status not in WAITING)


def chat_body(model: str, request: ChatRequest) -> dict[str, Any]:
    """The body of POST /v1/chat/completions."""
    body: dict[str, Any] = {
        "model": model,
        "messages": list(request.messages),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.tools:
        body["tools"] = list(request.tools)
    if request.seed is not None:
        body["seed"] = request.seed
    return body


def chat_reply(made: Mapping[str, Any], seconds: float) -> ChatReply:
    """The first choice of an answer."""
    choice, usage = made["choices"][0], made.get("usage") or {}
    return ChatReply(
        text=choice["message"].get("content") or "",
        tool_calls=tuple(choice["message"].get("tool_calls") or ()),
        prompt_tokens=usage.get("prompt_tokens", 0),
        completion_tokens=usage.get("completion_tokens", 0),
        finish_reason=choice["finish_reason"],
        seconds=seconds,
    )


def _error(happened: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A job has no error field: the last event of that kind tells it."""
    told = [item for item in happened if item.get("type") == "job_error"]
    told = told or [item for item in happened if str(item.get("level")).endswith("error")]
    if not told:
        return {"code": "error", "message": "Together gives no reason"}
    return {"code": str(told[-1].get("type")), "message": str(told[-1]["message"])}


def _progress(happened: Sequence[Mapping[str, Any]]) -> float | None:
    """The share of optimiser steps done (0..1) by the latest event that says so."""
    for item in reversed(happened):
        step, total = item.get("step"), item.get("total_steps")
        if step and total:
            return min(1.0, float(step / total))
    return None


def _moment(text: str | None) -> str | None:
    """RFC 3339 in our own form; None where it is no date."""
    try:
        return clock.stamp(clock.parse(text)) if text else None
    except UsageError:
        return None
