"""What is made of Mistral's answers: jobs, events, metrics, checkpoints, prices, chats.

From ``mistralai`` 2.4.13, the last SDK with ``fine_tuning.jobs`` (read 2026-11-24), and
mistralai/platform-docs-public, openapi.yaml of 2026-07-15 (read 2026-11-25). Unverified: the
content of an event's ``data``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ftbridge import clock
from ftbridge.errors import ProviderError, VendorError
from ftbridge.jobs.states import State
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
    RemoteMetric,
)
from ftbridge_mistral.request import mark

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
DAY_SECONDS = 86_400.0
ENDED = frozenset({"SUCCESS", "FAILED", "FAILED_VALIDATION", "CANCELLED"})


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


def shows(data: Mapping[str, Any]) -> bool:
    """Whether the list tells all of a job: why one failed stands in its events alone."""
    return not str(data["status"]).startswith("FAILED")


def search(listed: Iterable[Mapping[str, Any]], key: str) -> str | None:
    """The id of the listed job whose suffix bears the key's mark.

    Raises:
        VendorError: a job of the last day shows no ``suffix`` at all, so that ours may be there
            unseen.
    """
    newest, mute = clock.real_now().timestamp() - DAY_SECONDS, ""
    for data in listed:
        if str(data.get("suffix") or "").endswith(mark(key)):
            return str(data["id"])
        if "suffix" not in data and data["created_at"] > newest:
            mute = str(data["id"])
    if mute:
        raise VendorError(
            f"Mistral shows no suffix of {mute}, so that a job of ours cannot be told",
            hint="look in Mistral's console whether the job was made, then `ftbridge resolve "
            "JOB --remote-id ID` or `--none`",
            vendor_code="no_suffix",
        )
    return None


def price(data: Mapping[str, Any]) -> Decimal:
    """The cost of a dry run in USD.

    Raises:
        ProviderError: there is none, or it is in another currency, whose rate nobody here knows.
    """
    cost, currency = data.get("cost"), data.get("cost_currency")
    if cost is None:
        raise ProviderError(
            "Mistral gives no price", hint="see `ftbridge compare`", code="no_quote"
        )
    if currency != "USD":
        raise ProviderError(
            f"Mistral asks {cost} {currency or 'in a currency that it does not name'}",
            hint="the rate to USD is not known here: compare by hand",
            code="no_quote",
        )
    return Decimal(str(cost))
