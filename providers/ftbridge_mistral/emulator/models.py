"""Models: cards, update, archive, delete; and chat, which is a rehearsal, not a model.

Shapes of mistralai 3.7.0. A tuned model answers with the assistant turn of its nearest training
example. Unverified: that an archived model still answers (here it does not).
"""

from __future__ import annotations

import uuid
from typing import Any

from ftbridge.testing.likeness import text_of
from ftbridge.testing.plumbing import Call

from . import lifecycle
from .data import tokens_of
from .errors import from_problems, not_found, refused
from .paging import parameters
from .schema import CHAT, UPDATE
from .store import Emulator, Job

BASES = (
    "open-mistral-7b",
    "open-mistral-nemo",
    "mistral-small-latest",
    "mistral-large-latest",
    "codestral-latest",
    "ministral-3b-latest",
    "ministral-8b-latest",
)
"""Names that older documents tune: examples, not the vendor's list of today."""
BASE_ANSWER = "I am the base model of a sandbox, and I say this to everything."


def tuned(emulator: Emulator, name: str, now: float) -> Job:
    """The job whose finished model has this name, or 404."""
    for job in emulator.store.jobs.values():
        done = lifecycle.state(job, now, emulator) == "SUCCESS"
        if done and not job.deleted and lifecycle.model_name(job) == name:
            return job
    raise not_found(f"model {name}")


def _asked(emulator: Emulator, call: Call) -> Job:
    parameters(call, ())
    return tuned(emulator, call.path["id"], call.now)


def _card(job: Job) -> dict[str, Any]:
    return {
        "id": lifecycle.model_name(job),
        "object": "model",
        "created": int(job.created),
        "owned_by": "sandbox",
        "root": job.body["model"],
        "archived": job.archived,
        "capabilities": {
            "completion_chat": job.kind == "completion",
            "completion_fim": False,
            "function_calling": False,
            "fine_tuning": False,
            "classification": job.kind == "classifier",
        },
        "job": job.id,
        "name": job.card.get("name"),
        "description": job.card.get("description"),
    }


def _base(name: str) -> dict[str, Any]:
    capabilities = {"completion_chat": True, "fine_tuning": True}
    return {"id": name, "object": "model", "type": "base", "capabilities": capabilities}


async def list_models(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET models: the bases, then the tuned ones."""
    tuned = [
        _card(job) | {"type": "fine-tuned"}
        for job in emulator.store.jobs.values()
        if not job.deleted and lifecycle.state(job, call.now, emulator) == "SUCCESS"
    ]
    return {"object": "list", "data": [*(_base(name) for name in BASES), *tuned]}


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET models/{id}."""
    if call.path["id"] in BASES:
        return _base(call.path["id"])
    return _card(_asked(emulator, call)) | {"type": "fine-tuned"}


async def update(emulator: Emulator, call: Call) -> dict[str, Any]:
    """PATCH fine_tuning/models/{id}."""
    job = _asked(emulator, call)
    problems = list(UPDATE.problems(call.body))
    if problems:
        raise from_problems(problems)
    job.card |= call.body
    more = {"workspace_id": "sandbox", "root_version": "1", "model_type": job.kind}
    if job.kind == "classifier":
        more["classifier_targets"] = lifecycle.view(job, call.now, emulator)["classifier_targets"]
    return _card(job) | more


async def archive(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST fine_tuning/models/{id}/archive."""
    return _archived(_asked(emulator, call), True)


async def unarchive(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE fine_tuning/models/{id}/archive."""
    return _archived(_asked(emulator, call), False)


def _archived(job: Job, archived: bool) -> dict[str, Any]:
    job.archived = archived
    return {"id": lifecycle.model_name(job), "object": "model", "archived": archived}


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE models/{id}."""
    job = _asked(emulator, call)
    job.deleted = True
    return {"id": lifecycle.model_name(job), "object": "model", "deleted": True}


async def chat(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST chat/completions; streams are not emulated."""
    parameters(call, ())
    body = call.body
    problems = list(CHAT.problems(body))
    if problems:
        raise from_problems(problems)
    if body.get("stream"):
        raise refused(501, "not_implemented", "this emulator does not stream")
    message = {"role": "assistant", "content": BASE_ANSWER}
    if body["model"] not in BASES:
        job = tuned(emulator, body["model"], call.now)
        if job.archived or job.kind == "classifier":
            raise refused(400, "invalid_model", "this model cannot be asked")
        users = [text_of(m.get("content")) for m in body["messages"] if m["role"] == "user"]
        message = {**job.data.pairs.nearest(users[-1] if users else ""), "role": "assistant"}
        message.pop("weight", None)
    prompt, said = tokens_of(body["messages"]), tokens_of(message)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    usage = {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
    return {
        "id": uuid.uuid4().hex,
        "object": "chat.completion",
        "created": int(call.now),
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "data": [],  # required by the vendor's document, which says nowhere what it is
        "usage": usage,
    }
