"""What a workspace holds beside jobs: itself, datastores, clusters, environments.

Source: the SDK's REST client (azure-ai-ml 1.35.2, 2025-12-01). Not emulated: making or changing
datastores and clusters, code and data assets, registries.
"""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Anything, Field, Flag, Pairs, Record, Text

from .addresses import SCOPE
from .errors import ArmError, not_found, user_error
from .store import (
    CONTAINER,
    DATASTORE,
    REGION,
    STORAGE,
    SUBSCRIPTION,
    TENANT,
    WORKSPACE,
    Cluster,
    Emulator,
)

STORAGE_KEY = "c2FuZGJveC1zdG9yYWdlLWtleQ=="
SAS = "sv=2026-02-06&sr=c&sp=racwdl&sig=sandbox"
_FREE = Field(Text(), nullable=True)
_ENVIRONMENT = Record(
    {
        "name": _FREE,
        "properties": Field(
            Record(
                {
                    "image": Field(Text(shortest=1), nullable=True),
                    "condaFile": _FREE,
                    "description": _FREE,
                    "tags": Field(Pairs(Text()), nullable=True),
                    "properties": Field(Pairs(Text()), nullable=True),
                    "isAnonymous": Field(Flag(), nullable=True),
                    "isArchived": Field(Flag(), nullable=True),
                    "osType": Field(Text(("Linux", "Windows")), nullable=True),
                    "build": Field(Anything(), nullable=True),
                    "inferenceConfig": Field(Anything(), nullable=True),
                    "autoRebuild": _FREE,
                    "stage": _FREE,
                }
            ),
            required=True,
        ),
    }
)


def _resource(kind: str, name: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts = f"Microsoft.MachineLearningServices/workspaces/{kind}"
    return {"id": f"{SCOPE}/{kind}/{name}", "name": name, "type": parts} | more | {
        "properties": properties
    }  # fmt: skip


async def get(emulator: Emulator, call: Call) -> dict[str, Any]:
    """The workspace."""
    group = SCOPE.partition("/providers/")[0]
    return {
        "id": SCOPE,
        "name": WORKSPACE,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": REGION,
        "kind": "Default",
        "identity": {"type": "SystemAssigned", "tenantId": TENANT},
        "properties": {
            "friendlyName": WORKSPACE,
            "provisioningState": "Succeeded",
            "tenantId": TENANT,
            "workspaceId": "00000000-0000-0000-0000-00000000000c",
            "storageAccount": f"{group}/providers/Microsoft.Storage/storageAccounts/{STORAGE}",
            "discoveryUrl": f"{call.base}/discovery",
            "mlFlowTrackingUri": f"azureml://{REGION}.api.azureml.ms/mlflow/v1.0{SCOPE}",
        },
    }


def _datastore(emulator: Emulator) -> dict[str, Any]:
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": STORAGE,
        "containerName": CONTAINER,
        "endpoint": "core.windows.net",
        "protocol": "https",
        "isDefault": True,
        "credentials": {"credentialsType": emulator.store.credentials},
        "serviceDataAccessAuthIdentity": "None",
        "subscriptionId": SUBSCRIPTION,
        "tags": {},
        "properties": {},
    }
    return _resource("datastores", DATASTORE, properties)


def _known(call: Call) -> None:
    if call.path["name"] != DATASTORE:
        raise not_found(f"The datastore {call.path['name']}")


async def get_datastore(emulator: Emulator, call: Call) -> dict[str, Any]:
    """A datastore, without its secret."""
    _known(call)
    return _datastore(emulator)


async def list_datastores(emulator: Emulator, call: Call) -> dict[str, Any]:
    """All datastores, or the default one: there is one."""
    return {"value": [_datastore(emulator)]}


async def list_secrets(emulator: Emulator, call: Call) -> dict[str, Any]:
    """What opens a datastore."""
    _known(call)
    match emulator.store.credentials:
        case "AccountKey":
            return {"secretsType": "AccountKey", "key": STORAGE_KEY}
        case "Sas":
            return {"secretsType": "Sas", "sasToken": SAS}
        case _:
            raise user_error(f"The datastore {DATASTORE} has no credentials.", "credentials")


async def get_compute(emulator: Emulator, call: Call) -> dict[str, Any]:
    """A cluster."""
    cluster = emulator.store.clusters.get(call.path["name"])
    if cluster is None:
        raise not_found(f"The compute {call.path['name']}")
    return _compute(cluster)


async def list_computes(emulator: Emulator, call: Call) -> dict[str, Any]:
    """All clusters."""
    return {"value": [_compute(cluster) for cluster in emulator.store.clusters.values()]}


def _compute(cluster: Cluster) -> dict[str, Any]:
    properties = {
        "computeType": "AmlCompute",
        "computeLocation": REGION,
        "provisioningState": "Succeeded",
        "isAttachedCompute": False,
        "properties": {
            "vmSize": cluster.size,
            "vmPriority": cluster.priority,
            "osType": "Linux",
            "allocationState": "Steady",
            "currentNodeCount": 0,
            "targetNodeCount": 0,
            "scaleSettings": {
                "minNodeCount": 0,
                "maxNodeCount": cluster.nodes,
                "nodeIdleTimeBeforeScaleDown": "PT120S",
            },
        },
    }
    return _resource("computes", cluster.name, properties, location=REGION)


async def put_environment(emulator: Emulator, call: Call) -> Response:
    """Register an image; a version that is there cannot become another one."""
    for problem in _ENVIRONMENT.problems(call.body):
        message = f"{problem.path}: {problem.fault} {problem.expected} {problem.found}".strip()
        raise ArmError(400, "ValidationError", message, problem.path)
    given = {key: value for key, value in call.body["properties"].items() if value is not None}
    if not given.get("image") and not given.get("build"):
        raise user_error("An environment needs an image or a build context.", "image")
    name, version = call.path["name"], call.path["version"]
    known = emulator.store.environments
    old = known.get((name, version))
    if old is not None and old.get("image") != given.get("image"):
        message = f"Environment {name} with version {version} is already registered."
        raise ArmError(409, "Conflict", message)
    known[name, version] = given
    return JSONResponse(_environment(name, version, given), 200 if old else 201)


async def get_environment(emulator: Emulator, call: Call) -> dict[str, Any]:
    """An environment's version."""
    name, version = call.path["name"], call.path["version"]
    found = emulator.store.environments.get((name, version))
    if found is None:
        raise not_found(f"The environment {name}:{version}")
    return _environment(name, version, found)


def _environment(name: str, version: str, given: dict[str, Any]) -> dict[str, Any]:
    told = {"environmentType": "UserCreated", "osType": "Linux", "provisioningState": "Succeeded"}
    tag = hashlib.sha256(str(given.get("image")).encode()).hexdigest()
    resource = _resource("environments", f"{name}/versions/{version}", told | given)
    return resource | {"name": version, "etag": tag}
