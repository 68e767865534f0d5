"""Files, jobs and chat as Azure answers them: what differs from the shared wire.

``trainingType`` (Standard, GlobalStandard, developerTier) is Azure's own field of a job. States
before the run are one, ``pending``. An RFT job that reaches its billing cap is paused and goes on
when it is resumed; the store's ``rft_cap_after`` plays that.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.openai_wire import ApiError, Emulator, Handler, chat, jobs
from ftbridge.testing.plumbing import Call

from .errors import ArmError, no_deployment
from .store import Azure

TRAINING_TYPES = ("standard", "globalstandard", "developertier")
SUFFIX_MOST = 18
_SFT = frozenset({"supervised"})
OPEN_MODELS = {
    "gpt-oss-20b": _SFT,
    "Ministral-3B": _SFT,
    "Llama-3.3-70B-Instruct": _SFT,
    "Qwen-3-32B": _SFT,
}
"""They need ``trainingType``. From MicrosoftDocs/azure-ai-docs fine-tune-models.md (commit 630ae2d)
and microsoft/azure-skills (commit 1a03acf): SFT alone, by the global tier alone. What the service
answers otherwise is unverified, as is its answer to reinforcement without a validation file."""
STATES = {"validating_files": "pending", "queued": "pending"}


def without_version(call: Call) -> Call:
    """The request as the shared wire knows it; ``api-version`` was looked at before."""
    pairs = [(name, value) for name, value in call.pairs if name != "api-version"]
    return replace(call, pairs=pairs)


def plain(handler: Handler) -> Handler:
    """A handler of the shared wire, its jobs and files shown as Azure's."""

    async def handle(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
        answer = await handler(emulator, without_version(call))
        if isinstance(answer, Response):
            return answer
        return _shown(_azure(emulator), answer, call.now)

    return handle


def created(handler: Handler) -> Handler:
    """The same, answered with 201 as the classic form does for uploads and new jobs."""

    async def handle(emulator: Emulator, call: Call) -> Response:
        answer = await handler(emulator, call)
        assert isinstance(answer, dict)
        return JSONResponse(answer, 201)

    return handle


def gone(handler: Handler) -> Handler:
    """The same, answered with 204 and no body as the classic form does for deletions."""

    async def handle(emulator: Emulator, call: Call) -> Response:
        await handler(emulator, call)
        return Response(status_code=204)

    return handle


async def create_job(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST fine_tuning/jobs, with ``trainingType``."""
    azure, body = _azure(emulator), call.body
    kind = None
    if isinstance(body, dict) and "trainingType" in body:
        kind = body["trainingType"]
        if not isinstance(kind, str) or kind.lower() not in TRAINING_TYPES:
            raise ApiError(f"Invalid trainingType: {json.dumps(kind)}.", "trainingType")
        body = {name: value for name, value in body.items() if name != "trainingType"}
    _check(azure, body, kind, call.now)
    made = await jobs.create(azure, replace(without_version(call), body=body))
    azure.store.training_types[made["id"]] = kind or "standard"
    job = azure.store.jobs[made["id"]]
    cap = azure.store.rft_cap_after
    if cap is not None and job.method["type"] == "reinforcement":
        # A stop that lies ahead: the state stays a function of the clock.
        job.watch.stop(call.now + azure.timeline.starts("running") + cap)
    return _shown(azure, made, call.now)


def _check(azure: Azure, body: Any, kind: str | None, now: float) -> None:
    if not isinstance(body, dict):
        return
    model, method = body.get("model"), body.get("method")
    if model in OPEN_MODELS and (kind or "").lower() != "globalstandard":
        message = f"The model {model} is trained with trainingType globalStandard only."
        raise ApiError(message, "trainingType", "invalidPayload")
    reinforced = isinstance(method, dict) and method.get("type") == "reinforcement"
    if reinforced and body.get("validation_file") is None:
        message = "Reinforcement needs a validation file."
        raise ApiError(message, "validation_file", "invalidPayload")
    suffix = body.get("suffix")
    if isinstance(suffix, str) and len(suffix) > SUFFIX_MOST:
        raise ApiError(f"The suffix is longer than {SUFFIX_MOST}.", "suffix", "invalidPayload")
    for param in ("training_file", "validation_file"):
        file = azure.store.files.get(str(body.get(param)))
        if file and now < file.created + azure.wait("importing"):
            raise ApiError(f"The file of {param} is not ready yet.", param, "invalidPayload")


async def complete(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
    """Chat by deployment name: in the path (classic), else the body's ``model`` (v1)."""
    azure = _azure(emulator)
    call = without_version(call)
    if not isinstance(call.body, dict):
        raise ApiError("The body must be an object.")
    name = call.path.get("deployment") or call.body.get("model")
    found = azure.deployment(name, call.now) if isinstance(name, str) else None
    if found is None or found.state(call.now) != "Succeeded":
        raise no_deployment()
    return await chat.complete(
        azure, replace(call, body={**call.body, "model": found.model["name"]})
    )


def _azure(emulator: Emulator) -> Azure:
    assert isinstance(emulator, Azure)
    return emulator


def _shown(azure: Azure, answer: dict[str, Any], now: float) -> dict[str, Any]:
    if answer.get("object") == "list":
        return {**answer, "data": [_shown(azure, each, now) for each in answer["data"]]}
    if answer.get("object") == "fine_tuning.job":
        kind = azure.store.training_types.get(answer["id"])
        status = STATES.get(answer["status"], answer["status"])
        return {**answer, "status": status, "trainingType": kind}
    if answer.get("object") == "file" and "deleted" not in answer:
        file = azure.store.files[answer["id"]]
        if now < file.created + azure.wait("importing"):
            return {**answer, "status": "pending"}
    return answer


def no_version() -> ArmError:
    """The classic form without ``api-version`` finds nothing."""
    return ArmError("404", "Resource not found", 404)
