"""``/v1/models``, and which model can be tuned how.

The table follows the fine-tuning guide and price page (copies seen 2026-11-24). The vendor's
closing dates are left out on purpose: a rehearsal must work after them too. Unverified: the
answer to deleting a base model (here 403).
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.plumbing import Call

from . import lifecycle
from .errors import ApiError, no_such_model
from .paging import parameters
from .store import Emulator, Job

_CHAT = frozenset({"supervised", "dpo"})
_SUPERVISED = frozenset({"supervised"})
COMPLETION_MODELS = frozenset({"babbage-002", "davinci-002"})
BASE_MODELS = {
    "gpt-4.1-2025-04-14": _CHAT,
    "gpt-4.1-mini-2025-04-14": _CHAT,
    "gpt-4.1-nano-2025-04-14": _CHAT,
    "gpt-4o-2024-08-06": _CHAT,
    "gpt-4o-mini-2024-07-18": _CHAT,
    "o4-mini-2025-04-16": frozenset({"reinforcement"}),
    "gpt-3.5-turbo-0125": _SUPERVISED,
    "gpt-3.5-turbo-1106": _SUPERVISED,
    "babbage-002": _SUPERVISED,
    "davinci-002": _SUPERVISED,
    "gpt-5-mini": frozenset[str](),  # can be asked, not tuned
}
ALIASES = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "o4-mini": "o4-mini-2025-04-16",
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
}
REASONING = frozenset({"o4-mini-2025-04-16", "gpt-5-mini"})
"""Models that take no temperature but 1 (the error's code as in public reports, unverified)."""
_BASE_CREATED = 1_712_361_441


def resolve(model: str) -> str:
    """The dated name behind an alias."""
    return ALIASES.get(model, model)


def root(model: str) -> str:
    """The base model under any model: of a tuned one, what it was tuned from."""
    if model.startswith("ft:"):
        return resolve(model.split(":")[1])
    return resolve(model.split(".ft-")[0])  # the other way of naming


def tuned_job(emulator: Emulator, model: str, now: float) -> Job | None:
    """The job that a tuned model (or one of its checkpoints) came from, if it can be asked."""
    if model in emulator.store.deleted_models:
        return None
    for job in emulator.store.jobs.values():
        done = lifecycle.status(job, now, emulator.timeline) == "succeeded"
        if done and model in lifecycle.model_names(job):
            return job
    return None


def bases(emulator: Emulator) -> dict[str, frozenset[str]]:
    """Every base model, and the methods that tune it."""
    return {**BASE_MODELS, **emulator.bases}


def exists(emulator: Emulator, model: str, now: float) -> bool:
    """Whether a model can be seen by this key."""
    return resolve(model) in bases(emulator) or tuned_job(emulator, model, now) is not None


def _view(model: str, created: float, owner: str) -> dict[str, Any]:
    return {
        "id": model,
        "object": "model",
        "created": int(created),
        "owned_by": owner,
        "shutdown_date": None,
    }


def _tuned_view(model: str, job: Job, now: float, emulator: Emulator) -> dict[str, Any]:
    created = lifecycle.view(job, now, emulator.timeline)["finished_at"]
    return _view(model, created, lifecycle.ORGANIZATION)


async def list_models(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /models: bases and finished models; no pages."""
    parameters(call, ())
    rows = [_view(name, _BASE_CREATED, "system") for name in (*ALIASES, *bases(emulator))]
    for job in emulator.store.jobs.values():
        name = lifecycle.model_name(job)
        if tuned_job(emulator, name, call.now) is job:
            rows.append(_tuned_view(name, job, call.now, emulator))
    return {"object": "list", "data": rows}


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /models/{id}."""
    parameters(call, ())
    name = call.path["model"]
    if resolve(name) in bases(emulator):
        return _view(name, _BASE_CREATED, "system")
    job = tuned_job(emulator, name, call.now)
    if job is None:
        raise no_such_model(name)
    return _tuned_view(name, job, call.now, emulator)


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE /models/{id}: tuned models only."""
    name = call.path["model"]
    if resolve(name) in bases(emulator):
        raise ApiError(f"The model '{name}' cannot be deleted.", "model", status=403)
    if tuned_job(emulator, name, call.now) is None:
        raise no_such_model(name)
    emulator.store.deleted_models.add(name)
    return {"id": name, "object": "model", "deleted": True}
