"""Custom model deployments (on demand) and provisioned throughput.

deploy-custom-model-on-demand: the deployment's ARN is the ``modelId`` of the runtime, and only some
bases can be served so. Unverified: how long they take, that names are unique among those alive,
that a throughput with a commitment cannot be deleted before its end, and the quota of model units
without one (here 2; AWS's default quotas differ by account).
"""

from __future__ import annotations

from typing import Any, TypeVar

from . import foundation, models, tokens
from .errors import ApiError, conflict, invalid, missing
from .paging import page
from .store import Deployment, Emulator, Throughput, stamp
from .surface import Asked

DEPLOY_SECONDS, PROVISION_SECONDS = 5.0, 8.0
_COMMITTED = {"OneMonth": 30 * 86400.0, "SixMonths": 182 * 86400.0}
MOST_UNITS = 2
R = TypeVar("R", Deployment, Throughput)


def _find(found: dict[str, R], identifier: str, name: str) -> R:
    for each in found.values():
        if identifier in (each.arn, each.body[name]):
            return each
    raise missing(f"the resource {identifier}")


def _check_name(found: dict[str, R], body: dict[str, Any], name: str) -> None:
    if any(each.body[name] == body[name] for each in found.values()):
        raise invalid(f"{name} is currently in use.")


# -- on demand -------------------------------------------------------------------------------


def deployment_status(each: Deployment, now: float, emulator: Emulator) -> str:
    """Creating or Active."""
    return "Active" if now >= each.created + DEPLOY_SECONDS / emulator.speed else "Creating"


async def deploy(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """CreateCustomModelDeployment."""
    body, store = asked.params, emulator.store
    if arn := tokens.known(emulator, asked.model, body):
        return {"customModelDeploymentArn": arn}
    job = models.require(emulator, body["modelArn"], asked.now)
    if not job.base.on_demand:
        raise invalid(f"{job.base.id} does not support custom model deployments")
    _check_name(store.deployments, body, "modelDeploymentName")
    arn = store.arn("custom-model-deployment")
    store.deployments[arn] = Deployment(arn, body, job.model_arn, asked.now, asked.now)
    store.tags[arn] = body.get("tags", [])
    tokens.remember(emulator, asked.model, body, arn)
    return {"customModelDeploymentArn": arn}


def _deployment(emulator: Emulator, asked: Asked) -> Deployment:
    identifier = asked.params["customModelDeploymentIdentifier"]
    return _find(emulator.store.deployments, identifier, "modelDeploymentName")


def _deployment_view(emulator: Emulator, each: Deployment, now: float) -> dict[str, Any]:
    return {
        "customModelDeploymentArn": each.arn,
        "modelArn": each.model_arn,
        "createdAt": stamp(each.created),
        "status": deployment_status(each, now, emulator),
        "lastUpdatedAt": stamp(each.changed),
    }


async def get_deployment(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """GetCustomModelDeployment, by ARN or name."""
    each = _deployment(emulator, asked)
    shown = _deployment_view(emulator, each, asked.now)
    shown["modelDeploymentName"] = each.body["modelDeploymentName"]
    if "description" in each.body:
        shown["description"] = each.body["description"]
    return shown


async def list_deployments(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListCustomModelDeployments, where the name is called ``customModelDeploymentName``."""
    name = "customModelDeploymentName"
    rows = [
        {**_deployment_view(emulator, each, asked.now), name: each.body["modelDeploymentName"]}
        for each in emulator.store.deployments.values()
    ]
    equal = (("statusEquals", "status"), ("modelArnEquals", "modelArn"))
    return page(
        "modelDeploymentSummaries", rows, asked.params, name=name, created="createdAt", equal=equal
    )


async def undeploy(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """DeleteCustomModelDeployment: gone at once."""
    del emulator.store.deployments[_deployment(emulator, asked).arn]
    return {}


# -- provisioned -----------------------------------------------------------------------------


def throughput_status(each: Throughput, now: float, emulator: Emulator) -> str:
    """Creating or InService."""
    return "InService" if now >= each.created + PROVISION_SECONDS / emulator.speed else "Creating"


async def provision(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """CreateProvisionedModelThroughput for a custom model or a base."""
    body, store = asked.params, emulator.store
    if arn := tokens.known(emulator, asked.model, body):
        return {"provisionedModelArn": arn}
    job = models.find(emulator, body["modelId"], asked.now)
    base = job.base if job else foundation.find(body["modelId"], store.region)
    if base is None:
        raise missing(f"the model {body['modelId']}")
    if body["modelUnits"] > MOST_UNITS and "commitmentDuration" not in body:
        raise ApiError("ServiceQuotaExceededException", f"more than {MOST_UNITS} model units")
    _check_name(store.throughputs, body, "provisionedModelName")
    arn = store.arn("provisioned-model")
    model_arn = job.model_arn if job else base.arn(store.region)
    store.throughputs[arn] = Throughput(arn, body, model_arn, asked.now)
    store.tags[arn] = body.get("tags", [])
    tokens.remember(emulator, asked.model, body, arn)
    return {"provisionedModelArn": arn}


def _throughput(emulator: Emulator, asked: Asked) -> Throughput:
    identifier = asked.params["provisionedModelId"]
    return _find(emulator.store.throughputs, identifier, "provisionedModelName")


def _throughput_view(emulator: Emulator, each: Throughput, now: float) -> dict[str, Any]:
    store = emulator.store
    job = models.find(emulator, each.model_arn, now)
    units = each.body["modelUnits"]
    shown = {
        "provisionedModelName": each.body["provisionedModelName"],
        "provisionedModelArn": each.arn,
        "modelArn": each.model_arn,
        "desiredModelArn": each.model_arn,
        "foundationModelArn": job.base.arn(store.region) if job else each.model_arn,
        "modelUnits": units,
        "desiredModelUnits": units,
        "status": throughput_status(each, now, emulator),
        "creationTime": stamp(each.created),
        "lastModifiedTime": stamp(each.created),
    }
    if "commitmentDuration" in each.body:
        shown["commitmentDuration"] = each.body["commitmentDuration"]
        shown["commitmentExpirationTime"] = stamp(_committed_until(each))
    return shown


def _committed_until(each: Throughput) -> float:
    return each.created + _COMMITTED.get(each.body.get("commitmentDuration", ""), 0.0)


async def get_throughput(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """GetProvisionedModelThroughput, by ARN or name."""
    return _throughput_view(emulator, _throughput(emulator, asked), asked.now)


async def list_throughputs(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListProvisionedModelThroughputs."""
    rows = [
        _throughput_view(emulator, each, asked.now) for each in emulator.store.throughputs.values()
    ]
    equal = (("statusEquals", "status"), ("modelArnEquals", "modelArn"))
    return page(
        "provisionedModelSummaries", rows, asked.params, name="provisionedModelName", equal=equal
    )


async def unprovision(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """DeleteProvisionedModelThroughput: gone at once, unless it is committed."""
    each = _throughput(emulator, asked)
    if asked.now < _committed_until(each):
        raise conflict("The commitment of the provisioned model throughput has not ended")
    del emulator.store.throughputs[each.arn]
    return {}
