"""The ASGI application: routes, credentials, and the log of requests.

The control plane (ARM) and the storage account are two hosts at Azure and one address here; their
paths do not meet.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Call, Manners, build, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import blobs, jobs, workspace
from .addresses import SCOPE
from .blobs import Sent
from .errors import ArmError, BlobError
from .store import GROUP, REGION, STORAGE, SUBSCRIPTION, WORKSPACE, Emulator, Job, Store

Row = plumbing.Row[Emulator]
TOKEN = "sandbox-entra-token"  # noqa: S105 -- of no account
_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")
_PATH = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
)
_OPERATION = SCOPE.partition("/resourceGroups/")[0] + (
    f"/providers/Microsoft.MachineLearningServices/locations/{REGION}"
    "/mfeOperationResults/{operation}"
)
_BLOB = "/" + STORAGE + "/{container}"

JOB_TIMELINE = Timeline(
    (Phase("NotStarted", 1), Phase("Queued", 2), Phase("Preparing", 2)), "Running"
)
"""What comes before the command runs; how long that takes is its own affair."""

_CONTROL: tuple[Row, ...] = (
    ("GET", "", workspace.get),
    ("GET", "/datastores", workspace.list_datastores),
    ("GET", "/datastores/{name}", workspace.get_datastore),
    ("POST", "/datastores/{name}/listSecrets", workspace.list_secrets),
    ("GET", "/computes", workspace.list_computes),
    ("GET", "/computes/{name}", workspace.get_compute),
    ("PUT", "/environments/{name}/versions/{version}", workspace.put_environment),
    ("GET", "/environments/{name}/versions/{version}", workspace.get_environment),
    ("GET", "/jobs", jobs.list_jobs),
    ("PUT", "/jobs/{name}", jobs.put),
    ("GET", "/jobs/{name}", jobs.get),
    ("POST", "/jobs/{name}/cancel", jobs.cancel),
)
_STORAGE: tuple[Row, ...] = (
    ("PUT", _BLOB, blobs.put_container),
    ("GET", _BLOB, blobs.get_container),
    ("PUT", _BLOB + "/{blob:path}", blobs.put),
    ("GET", _BLOB + "/{blob:path}", blobs.get),
    ("DELETE", _BLOB + "/{blob:path}", blobs.delete),
)


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
    rents: bool = True,
    preempts: Callable[[Job, Path], bool] = lambda job, outputs: False,
) -> Starlette:
    """A workspace with its storage as an application; what it knows is ``app.state.store``.

    ``speed`` divides the durations of ``timeline``; ``latency`` seconds pass before each answer.
    ``rents`` and ``preempts``: see `Store`.
    """
    store = Store(rents=rents, preempts=preempts)
    emulator = Emulator(store, clock, timeline.scaled(speed), latency, speed)
    rows: list[Row] = [(method, _PATH + path, _placed(act)) for method, path, act in _CONTROL]
    rows += [("GET", _OPERATION, jobs.operation), *_STORAGE]
    identifier = ("x-ms-request-id", lambda: str(uuid.uuid4()))
    return build(emulator, rows, Manners(_authorise, _read, _unrouted, identifier))


def _placed(
    act: Callable[[Emulator, Call], Awaitable[dict[str, Any] | Response]],
) -> Callable[[Emulator, Call], Awaitable[dict[str, Any] | Response]]:
    """The same handler for this subscription, group and workspace alone."""

    async def handle(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
        given = call.path
        if given["subscription"] != SUBSCRIPTION:
            message = f"The subscription '{given['subscription']}' could not be found."
            raise ArmError(404, "SubscriptionNotFound", message)
        if given["group"].lower() != GROUP:
            message = f"Resource group '{given['group']}' could not be found."
            raise ArmError(404, "ResourceGroupNotFound", message)
        if given["workspace"].lower() != WORKSPACE:
            name = f"Microsoft.MachineLearningServices/workspaces/{given['workspace']}"
            message = f"The Resource '{name}' under resource group '{GROUP}' was not found."
            raise ArmError(404, "ResourceNotFound", message)
        return await act(emulator, call)

    return handle


def _is_blob(request: Request) -> bool:
    return request.url.path.startswith(f"/{STORAGE}/")


def _authorise(request: Request) -> None:
    given = request.headers.get("authorization", "")
    if _is_blob(request):
        key = given.startswith(f"SharedKey {STORAGE}:")
        if not key and given != f"Bearer {TOKEN}" and request.query_params.get("sig") != "sandbox":
            raise BlobError(
                403, "AuthenticationFailed", "Server failed to authenticate the request."
            )
        if "x-ms-version" not in request.headers:
            raise BlobError(400, "MissingRequiredHeader", "x-ms-version is missing")
        return
    if given != f"Bearer {TOKEN}":
        known = given.startswith("Bearer ")
        code = "InvalidAuthenticationToken" if known else "AuthenticationFailed"
        message = "The access token is invalid." if known else "The 'Authorization' is missing."
        raise ArmError(401, code, message)
    version = request.query_params.get("api-version")
    if version is None or _VERSION.fullmatch(version) is None:
        code = "MissingApiVersionParameter" if version is None else "InvalidApiVersionParameter"
        raise ArmError(400, code, "The api-version query parameter (?api-version=) is required.")


async def _read(request: Request) -> object:
    if _is_blob(request):
        body = Sent(await request.body())
        body.headers = {key.lower(): value for key, value in request.headers.items()}
        return body
    unreadable = ArmError(400, "InvalidRequestContent", "The request content was invalid JSON.")
    return await read_json(request, unreadable)


def _unrouted(request: Request, error: HTTPException) -> Response:
    if _is_blob(request):
        return BlobError(error.status_code, "UnsupportedHttpVerb", "not emulated").response()
    message = f"not emulated: {request.method} {request.url.path}"
    return ArmError(error.status_code, "NotFound", message).response()
