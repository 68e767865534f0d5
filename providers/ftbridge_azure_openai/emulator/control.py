"""The control plane: PUT, GET, DELETE and list of ``deployments``, as ARM speaks.

Source: the REST reference of Microsoft.CognitiveServices accounts/deployments (2024-10-01) and
fine-tuning-rest.md: body ``{sku: {name, capacity}, properties: {model: {format, name,
version}}}``; a PUT of the same name replaces it.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.openai_wire import ApiError, Emulator, models
from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Field, Number, Pairs, Record, Text

from .errors import ArmError
from .store import Azure, Deployment

PATH = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers"
    "/Microsoft.CognitiveServices/accounts/{account}/deployments"
)
SKUS = (
    *("Standard", "GlobalStandard", "DataZoneStandard", "DeveloperTier"),
    *("ProvisionedManaged", "GlobalProvisionedManaged", "DataZoneProvisionedManaged"),
)
_TEXT = Field(Text(shortest=1), required=True)
_MODEL = Record(
    {
        "format": Field(Text(("OpenAI",)), required=True),
        "name": _TEXT,
        "version": _TEXT,
        "source": Field(Text()),
    }
)
_PUT = Record(
    {
        "sku": Field(
            Record(
                {
                    "name": Field(Text(), required=True),
                    "capacity": Field(Number(integer=True, least=1), required=True),
                }
            ),
            required=True,
        ),
        "properties": Field(
            Record(
                {
                    "model": Field(_MODEL, required=True),
                    "versionUpgradeOption": Field(Text()),
                    "raiPolicyName": Field(Text()),
                }
            ),
            required=True,
        ),
        "tags": Field(Pairs(Text(longest=256), most=50, longest_key=512)),
    }
)


async def put(emulator: Emulator, call: Call) -> Response:
    """Create or replace; ARM answers before the work is done."""
    azure = _azure(emulator, call)
    for problem in _PUT.problems(call.body):
        message = f"'{problem.path}': expected {problem.expected}, found {problem.found}."
        raise ArmError("InvalidRequestContent", message)
    sku, model = call.body["sku"], call.body["properties"]["model"]
    # Documents write `standard` as well as `Standard`.
    if sku["name"].lower() not in {name.lower() for name in SKUS}:
        raise ArmError("InvalidResourceProperties", f"The sku '{sku['name']}' is not supported.")
    if not models.exists(azure, model["name"], call.now):
        message = f"The model '{model['name']}' of format 'OpenAI' is not available."
        raise ArmError("DeploymentModelNotSupported", message)
    name = call.path["name"]
    old = azure.deployment(name, call.now)
    if old and old.state(call.now) != "Succeeded":
        message = f"The deployment is {old.state(call.now)}; try again when that has ended."
        raise ArmError("RequestConflict", message, 409)
    ready = call.now + azure.wait("creating")
    made = Deployment(name, sku, model, call.now, ready)
    azure.store.deployments[name] = made
    return JSONResponse(_view(made, call), 200 if old else 201)


async def get(emulator: Emulator, call: Call) -> dict[str, Any]:
    """One deployment."""
    return _view(_find(_azure(emulator, call), call), call)


async def list_all(emulator: Emulator, call: Call) -> dict[str, Any]:
    """Every deployment, on one page."""
    azure = _azure(emulator, call)
    found = (azure.deployment(name, call.now) for name in azure.store.deployments)
    return {"value": [_view(each, call) for each in found if each]}


async def delete(emulator: Emulator, call: Call) -> Response:
    """202 while it goes; 204 where there is none."""
    azure = _azure(emulator, call)
    found = azure.deployment(call.path["name"], call.now)
    if found is None:
        return Response(status_code=204)
    if found.deleted is None:
        found.deleted = call.now
    return Response(status_code=202)


def _azure(emulator: Emulator, call: Call) -> Azure:
    assert isinstance(emulator, Azure)
    query = call.query
    if not query.get("api-version"):
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError("MissingApiVersionParameter", message)
    if unknown := query.keys() - {"api-version"}:
        raise ApiError(f"Unknown query parameter: {', '.join(unknown)}")
    return emulator


def _find(azure: Azure, call: Call) -> Deployment:
    found = azure.deployment(call.path["name"], call.now)
    if found is None:
        message = f"The resource '{call.path['name']}' of type 'deployments' was not found."
        raise ArmError("ResourceNotFound", message, 404)
    return found


def _view(deployment: Deployment, call: Call) -> dict[str, Any]:
    path = PATH.format(**{"name": "", **call.path})
    return {
        "id": f"{path}/{deployment.name}",
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "name": deployment.name,
        "sku": deployment.sku,
        "properties": {
            "model": deployment.model,
            "versionUpgradeOption": "OnceNewDefaultVersionAvailable",
            "provisioningState": deployment.state(call.now),
            "capabilities": {"chatCompletion": "true"},
        },
        "etag": f'"{int(deployment.created)}"',
    }
