"""The wire of OpenAI's fine-tuning API, which several vendors and servers speak.

Shapes from the types of ``openai`` 3.57.0 (read 2026-11-24): FineTuningJob, FineTuningJobEvent,
FineTuningJobCheckpoint, job_create_params. What a vendor does differently stays in its adapter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ftbridge import clock
from ftbridge.dialects import openai_reinforcement
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.jobs.states import State
from ftbridge.provider import ChatRequest, RemoteCheckpoint, RemoteEvent, RemoteJob, RemoteMetric

METADATA_KEY = "ftbridge_key"
"""Where the idempotency key travels in a job's ``metadata``."""

STATES = {
    "validating_files": State.VALIDATING,
    "queued": State.QUEUED,
    "running": State.RUNNING,
    "paused": State.PAUSED,  # not in the SDK's literal, yet pause and resume exist
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}

METHODS = {Method.SFT: "supervised", Method.DPO: "dpo", Method.RL: "reinforcement"}

WIRE_HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier", "beta")
"""Neutral names that are the wire's own; which of them a method takes is the catalogue's."""

WANDB = ("project", "name", "entity", "tags")
"""Fields of the one integration there is; ``--option wandb_project=...`` and so on."""

OPTIONS = frozenset(f"wandb_{name}" for name in WANDB) | openai_reinforcement.OPTIONS
"""Everything that ``--option`` may set in a create body."""

_REASONING = re.compile(r"(ft:)?(o\d|gpt-5)")
"""Models that refuse any temperature but their own (developers.openai.com reasoning guide)."""


def create_body(spec: JobSpec, training: str, validation: str | None, key: str) -> dict[str, Any]:
    """The body of POST /fine_tuning/jobs; what was not asked for is left out."""
    kind = METHODS[spec.method]
    settings = {
        name: value
        for name, value in spec.hyperparameters.given().items()
        if name in WIRE_HYPERPARAMETERS
    } | openai_reinforcement.settings(spec)
    method: dict[str, Any] = {"hyperparameters": settings} if settings else {}
    if spec.grader is not None:
        method["grader"] = spec.grader.wire()
    body: dict[str, Any] = {
        "model": spec.model,
        "training_file": training,
        "method": {"type": kind, kind: method},
        "metadata": {METADATA_KEY: key},
    }
    if validation is not None:
        body["validation_file"] = validation
    if spec.suffix is not None:
        body["suffix"] = spec.suffix
    if spec.seed is not None:
        body["seed"] = spec.seed
    if integrations := _integrations(spec.options):
        body["integrations"] = integrations
    return body


def check_options(spec: JobSpec, known: frozenset[str]) -> None:
    """Refuse an option that nobody reads. Raises UsageError listing those that are."""
    if unknown := sorted(spec.options.keys() - known):
        raise UsageError(
            f"{spec.provider} takes no option {', '.join(unknown)}",
            hint=f"it takes: {', '.join(sorted(known))}",
            where="option",
        )


def _integrations(options: Mapping[str, str]) -> list[dict[str, Any]]:
    given = {name: options[f"wandb_{name}"] for name in WANDB if f"wandb_{name}" in options}
    if not given:
        return []
    if "project" not in given:
        raise UsageError(
            "Weights & Biases needs a project",
            hint="give --option wandb_project=NAME",
            where="wandb_project",
        )
    run: dict[str, Any] = dict(given)
    if "tags" in run:
        run["tags"] = [tag.strip() for tag in run["tags"].split(",") if tag.strip()]
    return [{"type": "wandb", "wandb": run}]


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse what does not fit beside the key (16 pairs, 64 and 512 characters)."""
    if len(tags) > 15 or any(len(k) > 64 or len(v) > 512 for k, v in tags.items()):
        raise UsageError(
            "too many or too long tags for the vendor's metadata",
            hint="at most 15 tags, names to 64 and values to 512 characters",
            where="tags",
        )


def job(data: Mapping[str, Any], states: Mapping[str, State] = STATES) -> RemoteJob:
    """A fine_tuning.job object. An unlisted status is ``unknown``, with its own word kept."""
    raw = str(data["status"])
    error = data.get("error") or {}
    return RemoteJob(
        id=data["id"],
        state=states.get(raw, State.UNKNOWN),
        raw_state=raw,
        model=data.get("fine_tuned_model"),
        error={"code": str(error.get("code")), "message": str(error["message"])}
        if error.get("message")
        else None,
        created_at=_moment(data.get("created_at")),
        finished_at=_moment(data.get("finished_at")),
        trained_tokens=data.get("trained_tokens"),
        n_epochs=_epochs(data),
    )


def events(items: list[Mapping[str, Any]]) -> list[RemoteEvent]:
    """Event objects as events, oldest first."""
    return [
        RemoteEvent(
            time=clock.from_epoch(item["created_at"]),
            level={"warn": "warning"}.get(item["level"], item["level"]),
            message=item["message"],
            step=(item.get("data") or {}).get("step"),
            type=item.get("type") or "message",
            id=item.get("id"),
        )
        for item in _oldest_first(items)
    ]


def _oldest_first(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """OpenAI lists its newest event first, some of its relatives the oldest."""
    ascending = len(items) > 1 and items[0]["created_at"] < items[-1]["created_at"]
    return items if ascending else items[::-1]


def metrics(items: list[Mapping[str, Any]]) -> list[RemoteMetric]:
    """The numbers in events of type ``metrics``."""
    found = []
    for item in _oldest_first(items):
        data = item.get("data") or {}
        if item.get("type") == "metrics" and "step" in data:
            found += _measured(data["step"], data, item["created_at"])
    return found


def checkpoint_metrics(items: list[Mapping[str, Any]]) -> list[RemoteMetric]:
    """The numbers in checkpoint objects, by step."""
    found = []
    for item in sorted(items, key=lambda item: int(item["step_number"])):
        found += _measured(item["step_number"], item.get("metrics") or {}, item.get("created_at"))
    return found


def _measured(step: float, data: Mapping[str, Any], created_at: float | None) -> list[RemoteMetric]:
    return [
        RemoteMetric(int(step), name, float(value), _moment(created_at))
        for name, value in data.items()
        if name != "step" and isinstance(value, int | float)
    ]


def checkpoint(data: Mapping[str, Any]) -> RemoteCheckpoint:
    """A fine_tuning.job.checkpoint object."""
    return RemoteCheckpoint(
        id=data["id"],
        step=data["step_number"],
        model=data["fine_tuned_model_checkpoint"],
        created_at=_moment(data.get("created_at")),
    )


def chat_body(model: str, request: ChatRequest) -> dict[str, Any]:
    """The body of POST /chat/completions; a reasoning model is sent no temperature."""
    body: dict[str, Any] = {
        "model": model,
        "messages": list(request.messages),
        "max_completion_tokens": request.max_tokens,
    }
    if not _REASONING.match(model):
        body["temperature"] = request.temperature
    if request.tools:
        body["tools"] = list(request.tools)
    if request.seed is not None:
        body["seed"] = request.seed
    return body


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else clock.from_epoch(seconds)


def _epochs(data: Mapping[str, Any]) -> int | None:
    """What the vendor has settled on; "auto" until the run starts."""
    method = data.get("method") or {}
    settings = (method.get(method.get("type")) or {}).get("hyperparameters")
    value = (settings or data.get("hyperparameters") or {}).get("n_epochs")
    return value if isinstance(value, int) else None
