"""What Lathe is sent and what it answers, as pure functions (docs.lathe.example, invented)."""

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
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
)

STATES = {
    "checking": State.VALIDATING,
    "waiting": State.QUEUED,
    "turning": State.RUNNING,
    "stopping": State.RUNNING,
    "done": State.SUCCEEDED,
    "broken": State.FAILED,
    "stopped": State.CANCELLED,
}
"""Every word of the vendor. One that is not here is shown as ``unknown`` and watched on."""

HYPERPARAMETERS = {
    "n_epochs": "epochs",
    "batch_size": "batch",
    "learning_rate": "rate",
    "lora_r": "rank",
}
"""Neutral name -> Lathe's. The same names stand in ``catalogue.toml``, with their ranges."""


def create_body(spec: JobSpec, training: str, validation: str | None) -> dict[str, Any]:
    """The body of PUT /runs/NAME. What was not asked for is not sent: Lathe's default holds."""
    body: dict[str, Any] = {"base": spec.model, "dataset": training}
    if validation is not None:
        body["validation"] = validation
    if spec.suffix is not None:
        body["label"] = spec.suffix
    given = spec.hyperparameters.given()
    if given:
        body["settings"] = {HYPERPARAMETERS[name]: value for name, value in given.items()}
    return body


def file(data: Mapping[str, Any]) -> RemoteFile:
    """A data file."""
    return RemoteFile(data["name"], data["bytes"])


def job(data: Mapping[str, Any]) -> RemoteJob:
    """A run. Its name is our key, so that it is found again without a search."""
    raw = str(data["state"])
    state = STATES.get(raw, State.UNKNOWN)
    ended = data["ended_at"]
    return RemoteJob(
        id=data["name"],
        state=state,
        raw_state=raw,
        stopping=raw == "stopping",
        model=data["model"],
        error={"code": raw, "message": data["fault"]} if state is State.FAILED else None,
        created_at=clock.from_epoch(data["created_at"]),
        finished_at=None if ended is None else clock.from_epoch(ended),
        trained_tokens=data["billed_tokens"],
        n_epochs=data["settings"]["epochs"],
    )


def jobs(data: Mapping[str, Any]) -> list[RemoteJob]:
    """The answer to a list."""
    return [job(item) for item in data["runs"]]


def events(data: Mapping[str, Any]) -> list[RemoteEvent]:
    """What was logged, oldest first."""
    return [
        RemoteEvent(
            time=clock.from_epoch(line["at"]),
            level="info",
            message=line["text"],
            step=line.get("step"),
            type="metrics" if "loss" in line else "message",
        )
        for line in data["lines"]
    ]


def metrics(data: Mapping[str, Any]) -> list[RemoteMetric]:
    """The losses among the lines of the log."""
    return [
        RemoteMetric(line["step"], "loss", float(line["loss"]), clock.from_epoch(line["at"]))
        for line in data["lines"]
        if "loss" in line
    ]


def ask_body(model: str, request: ChatRequest) -> dict[str, Any]:
    """The body of POST /answers: the format's turns, the system text apart.

    Raises:
        UsageError: for tools, images and whatever else is not plain text.
    """
    speakers = {"system": "system", "user": "user", "assistant": "model"}
    for message in request.messages:
        plain = isinstance(message.get("content"), str) and not message.get("tool_calls")
        if request.tools or message["role"] not in speakers or not plain:
            raise UsageError(
                "lathe's models read and write text alone",
                hint="leave tools and images out, or ask a model of another provider",
                where="messages",
            )
    turns = [{"by": speakers[m["role"]], "text": m["content"]} for m in request.messages]
    body: dict[str, Any] = {
        "model": model,
        "turns": [turn for turn in turns if turn["by"] != "system"],
        "limit": request.max_tokens,
        "temperature": request.temperature,
    }
    system = [turn["text"] for turn in turns if turn["by"] == "system"]
    if system:
        body["system"] = "\n\n".join(system)
    if request.seed is not None:
        body["seed"] = request.seed
    return body


def answer(data: Mapping[str, Any]) -> ChatReply:
    """The answer; its time is the caller's to measure."""
    used = data["used"]
    return ChatReply(
        text=data["text"],
        prompt_tokens=used["in"],
        completion_tokens=used["out"],
        finish_reason=data["ended"],
    )
