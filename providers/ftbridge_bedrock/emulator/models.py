"""Custom models: what completed jobs have made, and tags of any resource.

Unverified: that a model in use (deployed, provisioned) cannot be deleted; the operation has
ConflictException.
"""

from __future__ import annotations

from typing import Any

from . import lifecycle
from .errors import conflict, missing
from .paging import page
from .store import ACCOUNT, Emulator, Job, stamp
from .surface import Asked


def _alive(emulator: Emulator, now: float) -> list[Job]:
    store = emulator.store
    return [
        job
        for job in store.jobs.values()
        if job.model_arn not in store.deleted_models
        and lifecycle.status(job, now, emulator) == "Completed"
    ]


def find(emulator: Emulator, identifier: str, now: float) -> Job | None:
    """The job behind a custom model, by the model's ARN or name."""
    for job in _alive(emulator, now):
        if identifier in (job.model_arn, job.body["customModelName"]):
            return job
    return None


def require(emulator: Emulator, identifier: str, now: float) -> Job:
    """The same; raises the vendor's 404."""
    job = find(emulator, identifier, now)
    if job is None:
        raise missing(f"the custom model {identifier}")
    return job


def _made(emulator: Emulator, job: Job, now: float) -> str:
    return stamp(lifecycle.ended_at(job, now, emulator) or now)


async def get(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """GetCustomModel."""
    job = require(emulator, asked.params["modelIdentifier"], asked.now)
    shown = {
        "modelArn": job.model_arn,
        "modelName": job.body["customModelName"],
        "jobName": job.body["jobName"],
        "jobArn": job.arn,
        "baseModelArn": job.base.arn(emulator.store.region),
        "customizationType": job.kind,
        "hyperParameters": job.body.get("hyperParameters", {}),
        "creationTime": _made(emulator, job, asked.now),
        "modelStatus": "Active",
        **lifecycle.metrics(job),
    }
    for name in ("trainingDataConfig", "validationDataConfig", "outputDataConfig",
                 "customizationConfig"):  # fmt: skip
        if name in job.body:
            shown[name] = job.body[name]
    return shown


async def list_models(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListCustomModels."""
    store = emulator.store
    rows = [
        {
            "modelArn": job.model_arn,
            "modelName": job.body["customModelName"],
            "creationTime": _made(emulator, job, asked.now),
            "baseModelArn": job.base.arn(store.region),
            "baseModelName": job.base.id.partition(":")[0],
            "customizationType": job.kind,
            "ownerAccountId": ACCOUNT,
            "modelStatus": "Active",
        }
        for job in _alive(emulator, asked.now)
    ]
    same = ("baseModelArnEquals", "foundationModelArnEquals")
    return page(
        "modelSummaries", rows, asked.params, name="modelName",
        equal=(("modelStatus", "modelStatus"), *((key, "baseModelArn") for key in same)),
    )  # fmt: skip


async def delete(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """DeleteCustomModel."""
    store = emulator.store
    job = require(emulator, asked.params["modelIdentifier"], asked.now)
    used = [each.model_arn for each in store.deployments.values()]
    used += [each.model_arn for each in store.throughputs.values()]
    if job.model_arn in used:
        raise conflict("The custom model is deployed; delete its deployments first")
    store.deleted_models.add(job.model_arn)
    return {}


async def list_tags(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListTagsForResource."""
    found = emulator.store.tags.get(asked.params["resourceARN"])
    if found is None:
        raise missing("the resource")
    return {"tags": found}
