"""Tuned models of the registry, and the operations that their deletion and endpoints' make.

Unverified: that a model that is deployed cannot be deleted (400), that a deletion takes a moment
but hides the resource at once, and that ``:deleteVersion`` refuses a model's only version.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.plumbing import Call

from . import lifecycle
from .errors import invalid, not_found, not_now
from .paging import page, parameters
from .store import Emulator, Job, Operation, new_id, resource, stamp

OPERATION_SECONDS = 1.0
EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}


def _versions(emulator: Emulator, model_id: str, now: float) -> list[Job]:
    store = emulator.store
    if model_id in store.deleted_models:
        return []
    return [
        job
        for job in store.models.get(model_id, [])
        if lifecycle.state(job, now, emulator) == "JOB_STATE_SUCCEEDED"
    ]


def tuned(emulator: Emulator, name: str, now: float) -> Job:
    """The finished job behind ``ID`` or ``ID@VERSION``; raises the vendor's 404."""
    model_id, _, version = name.partition("@")
    made = _versions(emulator, model_id, now)
    wanted = [job for job in made if not version or version in (str(job.version), "default")]
    if not wanted:
        raise not_found(f"models/{name}")
    return wanted[-1]


def _view(emulator: Emulator, job: Job, now: float) -> dict[str, Any]:
    made = stamp(lifecycle.ended_at(job, now, emulator) or now)
    ends = [
        {"endpoint": resource(each.location, "endpoints", each.id), "deployedModelId": deployed}
        for each in emulator.store.endpoints.values()
        if each.id not in emulator.store.deleted_endpoints
        for deployed, (model_id, _) in each.deployed.items()
        if model_id == job.model_id
    ]
    ids = lifecycle.checkpoint_ids(job)
    return {
        "name": resource(job.location, "models", job.model_id),
        "versionId": str(job.version),
        "versionAliases": ["default"],
        "displayName": job.body.get("tunedModelDisplayName", f"tuned-{job.id}"),
        "labels": {**job.body.get("labels", {}), "tune-type": "sft"},
        "deployedModels": ends,
        "createTime": made,
        "updateTime": made,
        "versionCreateTime": made,
        "versionUpdateTime": made,
        "etag": f"etag-{job.version}",
        "modelSourceInfo": {"sourceType": "GENIE"},
        "checkpoints": [
            {key: value for key, value in each.items() if key != "endpoint"}
            for each in lifecycle.checkpoints(job)
        ],
        "defaultCheckpointId": ids[-1],
    }


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET models/{id}, with or without ``@version``."""
    parameters(call)
    return _view(emulator, _here(emulator, call), call.now)


def _here(emulator: Emulator, call: Call) -> Job:
    job = tuned(emulator, call.path["id"], call.now)
    if job.location != call.path["location"]:
        raise not_found(f"models/{call.path['id']}")
    return job


async def list_models(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET models of a location, newest first."""
    made = [_versions(emulator, each, call.now) for each in reversed(emulator.store.models)]
    rows = [
        _view(emulator, jobs[-1], call.now)
        for jobs in made
        if jobs and jobs[-1].location == call.path["location"]
    ]
    return page("models", rows, call)


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE models/{id}: all versions; refused while one is deployed."""
    parameters(call)
    if "@" in call.path["id"]:
        raise invalid("A model is deleted by its id, without a version.", "name")
    job = _here(emulator, call)
    if _view(emulator, job, call.now)["deployedModels"]:
        raise not_now("The model is deployed: undeploy it from its endpoints first.")
    emulator.store.deleted_models.add(job.model_id)
    return begin(emulator, call, "DeleteOperationMetadata", EMPTY)


def begin(emulator: Emulator, call: Call, kind: str, answer: dict[str, Any]) -> dict[str, Any]:
    """A long-running operation that ends in a moment."""
    name = resource(call.path["location"], "operations", new_id())
    done_at = call.now + OPERATION_SECONDS / emulator.speed
    package = f"type.googleapis.com/google.cloud.aiplatform.{call.path['version']}."
    if answer is not EMPTY:
        answer = {**answer, "@type": package + answer["@type"]}
    made = Operation(name, package + kind, answer, done_at)
    emulator.store.operations[name] = made
    return _operation_view(made, call.now)


def _operation_view(each: Operation, now: float) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": each.name, "metadata": {"@type": each.kind}}
    if now < each.done_at:
        return shown
    return {**shown, "done": True, "response": each.answer}


async def get_operation(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET operations/{id}; the REST transport of 2.7.0 asks for it under ``/ui``."""
    parameters(call)
    name = resource(call.path["location"], "operations", call.path["id"])
    found = emulator.store.operations.get(name)
    if found is None:
        raise not_found(name)
    return _operation_view(found, call.now)
