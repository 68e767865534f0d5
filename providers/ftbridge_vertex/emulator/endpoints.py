"""Endpoints: where a tuned Gemini model answers. A job makes one a checkpoint and deploys there.

Open models are not served by the job: their weights lie under ``outputUri``. Unverified: that an
endpoint with something deployed cannot be deleted, and that each checkpoint stands on its own.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.plumbing import Call

from . import lifecycle, models
from .errors import invalid, not_found, not_now
from .paging import id_of, page, parameters
from .schema import CREATE_ENDPOINT, DEPLOY, UNDEPLOY, checked
from .store import Emulator, Endpoint, Job, new_id, resource, stamp


def _visible(emulator: Emulator, each: Endpoint, now: float) -> bool:
    """Whether it exists by now: a job's endpoints come with its success."""
    if each.id in emulator.store.deleted_endpoints:
        return False
    makers = [job for job in emulator.store.jobs.values() if each.id in job.endpoint_ids]
    return all(lifecycle.state(job, now, emulator) == "JOB_STATE_SUCCEEDED" for job in makers)


def find(emulator: Emulator, endpoint_id: str, location: str, now: float) -> Endpoint:
    """An endpoint by id; raises the vendor's 404."""
    found = emulator.store.endpoints.get(endpoint_id)
    if found is None or found.location != location or not _visible(emulator, found, now):
        raise not_found(resource(location, "endpoints", endpoint_id))
    return found


def served(emulator: Emulator, each: Endpoint, now: float) -> Job:
    """The job whose model answers there; raises 400 where nothing is deployed."""
    for model_id, _ in each.deployed.values():
        return models.tuned(emulator, model_id, now)
    raise not_now(f"Endpoint {each.id} doesn't have any deployed models.")


def _view(each: Endpoint) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": resource(each.location, "endpoints", each.id),
        "displayName": each.display_name,
        "labels": each.labels,
        "createTime": stamp(each.created),
        "updateTime": stamp(each.created),
        "etag": f"etag-{len(each.deployed)}",
    }
    if each.deployed:
        shown["deployedModels"] = [
            {
                "id": deployed,
                "model": resource(each.location, "models", model_id),
                "displayName": each.display_name,
                "createTime": stamp(each.created),
                **({"checkpointId": checkpoint} if checkpoint else {}),
            }
            for deployed, (model_id, checkpoint) in each.deployed.items()
        ]
        shown["trafficSplit"] = {next(iter(each.deployed)): 100}
    return shown


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST endpoints: an empty one."""
    parameters(call, "endpointId")
    body = checked(CREATE_ENDPOINT, call.body)
    made = Endpoint(
        new_id(), call.path["location"], body["displayName"], call.now, body.get("labels", {})
    )
    emulator.store.endpoints[made.id] = made
    answer = {"@type": "Endpoint", **_view(made)}
    return models.begin(emulator, call, "CreateEndpointOperationMetadata", answer)


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET endpoints/{id}."""
    parameters(call)
    return _view(find(emulator, call.path["id"], call.path["location"], call.now))


async def list_endpoints(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET endpoints of a location, newest first."""
    rows = [
        _view(each)
        for each in reversed(emulator.store.endpoints.values())
        if each.location == call.path["location"] and _visible(emulator, each, call.now)
    ]
    return page("endpoints", rows, call)


async def deploy(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST endpoints/{id}:deployModel: a tuned model, or one of its checkpoints."""
    parameters(call)
    each = find(emulator, call.path["id"], call.path["location"], call.now)
    wanted = checked(DEPLOY, call.body)["deployedModel"]
    name = id_of(wanted["model"], "models", each.location, "model")
    job = models.tuned(emulator, name, call.now)
    checkpoint = wanted.get("checkpointId")
    if checkpoint not in (None, *lifecycle.checkpoint_ids(job)):
        raise invalid(f"checkpoint {checkpoint} is not one of {name}", "checkpointId")
    deployed = wanted.get("id") or new_id()
    each.deployed[deployed] = (job.model_id, checkpoint)
    shown = {"id": deployed, "model": wanted["model"]}
    answer = {"@type": "DeployModelResponse", "deployedModel": shown}
    return models.begin(emulator, call, "DeployModelOperationMetadata", answer)


async def undeploy(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST endpoints/{id}:undeployModel."""
    parameters(call)
    each = find(emulator, call.path["id"], call.path["location"], call.now)
    deployed = checked(UNDEPLOY, call.body)["deployedModelId"]
    if each.deployed.pop(deployed, None) is None:
        raise not_found(f"DeployedModel {deployed}")
    answer = {"@type": "UndeployModelResponse"}
    return models.begin(emulator, call, "UndeployModelOperationMetadata", answer)


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE endpoints/{id}: refused while something is deployed there."""
    parameters(call, "force")
    each = find(emulator, call.path["id"], call.path["location"], call.now)
    if each.deployed:
        raise not_now("The endpoint has deployed models: undeploy them first.")
    emulator.store.deleted_endpoints.add(each.id)
    return models.begin(emulator, call, "DeleteOperationMetadata", models.EMPTY)
