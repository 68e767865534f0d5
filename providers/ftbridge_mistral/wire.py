"""Mistral's job routes: bodies and answers.

From ``mistralai`` 2.4.13, the last SDK with ``fine_tuning.jobs`` (read 2026-11-24), and
mistralai/platform-docs-public, text_vision_finetuning.md. Unverified: the content of an event's
``data``, and whether a list shows ``auto_start``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge import clock
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
)

STATES = {
    "QUEUED": State.QUEUED,
    "STARTED": State.QUEUED,
    "VALIDATING": State.VALIDATING,
    "VALIDATED": State.VALIDATING,  # paused where the job waits for POST .../start
    "RUNNING": State.RUNNING,
    "CANCELLATION_REQUESTED": State.RUNNING,
    "SUCCESS": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "FAILED_VALIDATION": State.FAILED,
    "CANCELLED": State.CANCELLED,
}
ENDED = frozenset({"SUCCESS", "FAILED", "FAILED_VALIDATION", "CANCELLED"})
HYPERPARAMETERS = {
    "n_epochs": "epochs",
    "learning_rate": "learning_rate",
    "warmup_ratio": "warmup_fraction",
    "weight_decay": "weight_decay",
}
"""Neutral name -> Mistral's. ``epochs`` is a float there."""

_NUMBERS = {"training_steps": int, "seq_len": int, "fim_ratio": float}
OPTIONS = frozenset({*_NUMBERS, "auto_start", "invalid_sample_skip_percentage"})


def create_body(spec: JobSpec, training: str, validation: str | None) -> dict[str, Any]:
    """The body of POST /v1/fine_tuning/jobs; what was not asked for is left out.

    ``auto_start`` is always said: the vendor's default is to wait after validation.
    """
    given = spec.hyperparameters.given()
    settings: dict[str, Any] = {HYPERPARAMETERS[n]: given[n] for n in HYPERPARAMETERS if n in given}
    for name, kind in _NUMBERS.items():
        if name in spec.options:
            settings[name] = _number(name, spec.options[name], kind)
    body: dict[str, Any] = {
        "model": spec.model,
        "job_type": "completion",
        "training_files": [{"file_id": training, "weight": 1}],
        "hyperparameters": settings,
        "auto_start": _flag("auto_start", spec.options.get("auto_start", "true")),
    }
    skip = "invalid_sample_skip_percentage"
    if skip in spec.options:
        body[skip] = _number(skip, spec.options[skip], float)
    if validation is not None:
        body["validation_files"] = [validation]
    if spec.suffix is not None:
        body["suffix"] = spec.suffix
    return body


def job(data: Mapping[str, Any]) -> RemoteJob:
    """A job object. An unlisted status is ``unknown``, with its own word kept."""
    raw = str(data["status"])
    state = STATES.get(raw, State.UNKNOWN)
    if raw == "VALIDATED" and data.get("auto_start") is False:
        state = State.PAUSED
    extra = data.get("metadata") or {}
    cost = {name: extra[name] for name in ("cost", "cost_currency") if extra.get(name) is not None}
    epochs = (data.get("hyperparameters") or {}).get("epochs")
    return RemoteJob(
        id=data["id"],
        state=state,
        raw_state=raw,
        stopping=raw == "CANCELLATION_REQUESTED",
        model=data.get("fine_tuned_model"),
        error=_error(data, raw) if state is State.FAILED else None,
        created_at=_moment(data.get("created_at")),
        finished_at=_moment(data.get("modified_at")) if raw in ENDED else None,
        trained_tokens=data.get("trained_tokens"),
        n_epochs=int(epochs) if epochs and float(epochs).is_integer() else None,
        details=cost,
    )


def events(data: Mapping[str, Any]) -> list[RemoteEvent]:
    """The events of a job's detail, oldest first."""
    found = [
        RemoteEvent(
            time=clock.from_epoch(item["created_at"]),
            level="error" if (item.get("data") or {}).get("error") else "info",
            message=_told(item),
            type=item["name"],
        )
        for item in data.get("events") or []
    ]
    return sorted(found, key=lambda event: event.time)


def metrics(data: Mapping[str, Any]) -> list[RemoteMetric]:
    """The numbers of the checkpoints, by step."""
    found = [
        RemoteMetric(int(item["step_number"]), name, float(value), _moment(item["created_at"]))
        for item in data.get("checkpoints") or []
        for name, value in (item.get("metrics") or {}).items()
        if value is not None
    ]
    return sorted(found, key=lambda metric: metric.step)


def checkpoints(data: Mapping[str, Any]) -> list[RemoteCheckpoint]:
    """The checkpoints; they have no name of their own, and cannot be asked."""
    found = [
        RemoteCheckpoint(
            id=f"{data['id']}:{item['step_number']}",
            step=int(item["step_number"]),
            model=None,
            created_at=_moment(item.get("created_at")),
        )
        for item in data.get("checkpoints") or []
    ]
    return sorted(found, key=lambda point: point.step)


def chat_body(model: str, request: ChatRequest) -> dict[str, Any]:
    """The body of POST /v1/chat/completions; the seed is ``random_seed`` there."""
    body: dict[str, Any] = {
        "model": model,
        "messages": list(request.messages),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.tools:
        body["tools"] = list(request.tools)
    if request.seed is not None:
        body["random_seed"] = request.seed
    return body


def chat_reply(made: Mapping[str, Any], seconds: float) -> ChatReply:
    """The first choice of an answer."""
    choice, usage = made["choices"][0], made["usage"]
    content = choice["message"].get("content") or ""
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content)
    return ChatReply(
        text=content,
        tool_calls=tuple(choice["message"].get("tool_calls") or ()),
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
        finish_reason=choice["finish_reason"],
        seconds=seconds,
    )


def _told(item: Mapping[str, Any]) -> str:
    data = item.get("data") or {}
    said = [str(data[name]) for name in ("status", "error") if data.get(name)]
    return ": ".join([item["name"], *said])


def _error(data: Mapping[str, Any], raw: str) -> dict[str, str]:
    told = [(item.get("data") or {}).get("error") for item in data.get("events") or []]
    said = next((str(text) for text in told if text), f"Mistral says {raw} and gives no reason")
    return {"code": raw, "message": said}


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else clock.from_epoch(seconds)


def _number(name: str, text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"option {name}: `{text}` is no number", where=name) from None


def _flag(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(f"option {name}: `{text}` is neither true nor false", where=name)
    return text == "true"


def file(file_id: str, size: int, item: Any) -> RemoteFile:
    """A file object of the SDK; older SDKs know no expiry."""
    expires = getattr(item, "expires_at", None)
    moment = clock.from_epoch(expires) if isinstance(expires, int) else None
    return RemoteFile(file_id, size, moment)


def shows(data: Mapping[str, Any], wanted: set[str]) -> bool:
    """Whether the list tells all of a wanted job: why one failed stands in its events alone."""
    return data["id"] in wanted and not str(data["status"]).startswith("FAILED")
