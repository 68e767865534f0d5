"""Models, endpoint configurations and endpoints. Sentences from many users' logs, unverified."""

from __future__ import annotations

from typing import Any

from . import packages
from .errors import invalid
from .paging import page
from .store import Emulator, Thing

CREATING_SECONDS, DELETING_SECONDS = 5.0, 1.0
"""Of an emulated endpoint; divided by speed."""


def _find(things: dict[str, Thing], arn: str, what: str) -> Thing:
    name = arn.rpartition("/")[2]
    if name not in things:
        raise invalid(f'Could not find {what} "{arn}".')
    return things[name]


def _add(things: dict[str, Thing], arn: str, params: dict[str, Any], now: float, what: str) -> None:
    name = arn.rpartition("/")[2]
    if name in things:
        raise invalid(f'Cannot create already existing {what} "{arn}".')
    things[name] = Thing(arn, params, now)


def _shown(thing: Thing) -> dict[str, Any]:
    shown = {key: value for key, value in thing.body.items() if key != "Tags"}
    return shown | {"CreationTime": thing.created}


async def create_model(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """CreateModel: of a package, or of an image with data."""
    if ("PrimaryContainer" in params) == ("Containers" in params):
        raise invalid("Specify exactly one of PrimaryContainer and Containers")
    if "ExecutionRoleArn" not in params:
        raise invalid("ExecutionRoleArn is required")
    for container in params.get("Containers", [params.get("PrimaryContainer")]):
        if "ModelPackageName" in container:
            packages.find(emulator, container["ModelPackageName"])
        elif "Image" not in container:
            raise invalid("A container needs Image or ModelPackageName")
    arn = emulator.store.arn("model", params["ModelName"])
    _add(emulator.store.models, arn, params, now, "model")
    return {"ModelArn": arn}


async def describe_model(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DescribeModel."""
    arn = emulator.store.arn("model", params["ModelName"])
    return _shown(_find(emulator.store.models, arn, "model")) | {"ModelArn": arn}


async def delete_model(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DeleteModel."""
    arn = emulator.store.arn("model", params["ModelName"])
    _find(emulator.store.models, arn, "model")
    del emulator.store.models[params["ModelName"]]
    return {}


async def create_config(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """CreateEndpointConfig."""
    for variant in params["ProductionVariants"]:
        arn = emulator.store.arn("model", variant.get("ModelName", ""))
        _find(emulator.store.models, arn, "model")
        if "ServerlessConfig" not in variant and "InstanceType" not in variant:
            raise invalid("A variant needs InstanceType or ServerlessConfig")
    arn = emulator.store.arn("endpoint-config", params["EndpointConfigName"])
    _add(emulator.store.configs, arn, params, now, "endpoint configuration")
    return {"EndpointConfigArn": arn}


async def describe_config(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DescribeEndpointConfig."""
    arn = emulator.store.arn("endpoint-config", params["EndpointConfigName"])
    found = _find(emulator.store.configs, arn, "endpoint configuration")
    return _shown(found) | {"EndpointConfigArn": arn}


async def delete_config(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DeleteEndpointConfig."""
    arn = emulator.store.arn("endpoint-config", params["EndpointConfigName"])
    _find(emulator.store.configs, arn, "endpoint configuration")
    del emulator.store.configs[params["EndpointConfigName"]]
    return {}


async def create_endpoint(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """CreateEndpoint."""
    config = emulator.store.arn("endpoint-config", params["EndpointConfigName"])
    _find(emulator.store.configs, config, "endpoint configuration")
    arn = emulator.store.arn("endpoint", params["EndpointName"])
    _add(emulator.store.endpoints, arn, params, now, "endpoint")
    return {"EndpointArn": arn}


def status(emulator: Emulator, endpoint: Thing, now: float) -> str:
    """Creating, then InService; Deleting once that was asked."""
    if "deleted" in endpoint.body:
        return "Deleting"
    passed = now - endpoint.created
    return "InService" if passed >= CREATING_SECONDS / emulator.speed else "Creating"


async def describe_endpoint(
    emulator: Emulator, params: dict[str, Any], now: float
) -> dict[str, Any]:
    """DescribeEndpoint."""
    return _endpoint_view(emulator, _endpoint(emulator, params["EndpointName"]), now)


def _endpoint(emulator: Emulator, name: str) -> Thing:
    return _find(emulator.store.endpoints, emulator.store.arn("endpoint", name), "endpoint")


def _endpoint_view(emulator: Emulator, found: Thing, now: float) -> dict[str, Any]:
    return {
        "EndpointName": found.body["EndpointName"],
        "EndpointArn": found.arn,
        "EndpointConfigName": found.body["EndpointConfigName"],
        "EndpointStatus": status(emulator, found, now),
        "CreationTime": found.created,
        "LastModifiedTime": found.created,
    }


async def list_endpoints(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """ListEndpoints."""
    rows = []
    for each in emulator.store.endpoints.values():
        row = _endpoint_view(emulator, each, now)
        del row["EndpointConfigName"]
        rows.append(row)
    equal = {"StatusEquals": "EndpointStatus"}
    return page("Endpoints", rows, params, name="EndpointName", equal=equal)


async def delete_endpoint(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DeleteEndpoint: Deleting for a while, then gone."""
    found = _endpoint(emulator, params["EndpointName"])
    found.body = found.body | {"deleted": now}
    return {}


def sweep(emulator: Emulator, now: float) -> None:
    """Forget endpoints whose deletion is over."""
    lasting = DELETING_SECONDS / emulator.speed
    for name, each in list(emulator.store.endpoints.items()):
        if now - each.body.get("deleted", now) >= lasting and "deleted" in each.body:
            del emulator.store.endpoints[name]
