"""The ASGI application: routes, key, account, and the log of requests.

A path like ``jobs/ID:cancel`` is a verb on a resource. Other accounts answer 403, except that
anyone may look at the models of ``fireworks``. Unverified: the header of request ids (here
``x-request-id``, which the SDK's exceptions show through the response's headers).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Call, Manners, build, is_form, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import chat, datasets, jobs, models, serving
from .errors import ApiError, invalid
from .store import ACCOUNT, Emulator, Store, new_id

Handler = plumbing.Handler[Emulator]
Row = plumbing.Row[Emulator]

JOB_TIMELINE = Timeline(
    (
        Phase("JOB_STATE_CREATING", 1),
        Phase("JOB_STATE_VALIDATING", 2),
        Phase("JOB_STATE_PENDING", 3),
        Phase("JOB_STATE_RUNNING", 12),
        Phase("JOB_STATE_WRITING_RESULTS", 2),
    ),
    "JOB_STATE_COMPLETED",
)
_JOB_ROUTES: list[Row] = [
    ("POST", "", jobs.create),
    ("GET", "", jobs.list_jobs),
    ("GET", "/{id}", jobs.retrieve),
    ("DELETE", "/{id}", jobs.delete),
    ("POST", "/{id}:cancel", jobs.cancel),
    ("POST", "/{id}:resume", jobs.resume),
    ("GET", "/{id}:getMetricsFileEndpoint", jobs.metrics_endpoint),
]
_OF_ACCOUNTS: list[Row] = [
    ("POST", "/datasets", datasets.create),
    ("GET", "/datasets", datasets.list_datasets),
    ("GET", "/datasets/{id}", datasets.retrieve),
    ("DELETE", "/datasets/{id}", datasets.delete),
    ("POST", "/datasets/{id}:upload", datasets.upload),
    ("POST", "/datasets/{id}:getUploadEndpoint", datasets.upload_endpoint),
    ("POST", "/datasets/{id}:validateUpload", datasets.validate_upload),
    ("GET", "/datasets/{id}:getDownloadEndpoint", datasets.download_endpoint),
    ("GET", "/models", models.list_models),
    ("GET", "/models/{id}", models.retrieve),
    ("DELETE", "/models/{id}", models.delete),
    ("GET", "/models/{id}:getDownloadEndpoint", models.download_endpoint),
    ("POST", "/deployments", serving.create_deployment),
    ("GET", "/deployments", serving.list_deployments),
    ("GET", "/deployments/{id}", serving.get_deployment),
    ("DELETE", "/deployments/{id}", serving.delete_deployment),
    ("POST", "/deployedModels", serving.load),
    ("GET", "/deployedModels", serving.list_addons),
    ("GET", "/deployedModels/{id}", serving.get_addon),
    ("DELETE", "/deployedModels/{id}", serving.unload),
]
_OTHER_ROUTES: list[Row] = [
    ("POST", "/v1/chat/completions", chat.complete),
    ("POST", "/inference/v1/chat/completions", chat.complete),
    ("PUT", "/signed/datasets/{id}/{file}", datasets.put_signed),
    ("GET", "/signed/datasets/{id}/{file}", datasets.get_signed),
    ("GET", "/signed/models/{id}/{file}", models.get_signed),
    ("GET", "/signed/metrics/{kind}/{id}", models.get_metrics),
]
_JOB_KINDS = ("supervisedFineTuningJobs", "dpoJobs", "reinforcementFineTuningJobs")


def _rows() -> list[Row]:
    """All routes; verbs come first, since their paths fit those of plain ids too."""
    rows = [(method, f"/v1/accounts/{{account}}{path}", act) for method, path, act in _OF_ACCOUNTS]
    for kind in _JOB_KINDS:
        prefix = f"/v1/accounts/{{account}}/{kind}"
        rows += [(method, prefix + path, _of(kind, act)) for method, path, act in _JOB_ROUTES]
    return sorted([*rows, *_OTHER_ROUTES], key=lambda row: "}:" not in row[1])


def _of(kind: str, handler: Handler) -> Handler:
    """The handler, told of which list of jobs it is."""

    async def handle(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
        return await handler(emulator, replace(call, path={**call.path, "kind": kind}))

    return handle


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    api_key: str = "fw_sandbox",
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """Fireworks' fine-tuning surface as an application; what it knows is ``app.state.store``.

    ``speed`` divides all durations; ``latency`` seconds pass before each answer. The account is
    ``sandbox``.
    """
    emulator = Emulator(Store(), clock, timeline.scaled(speed), latency, speed, api_key)

    def authorise(request: Request) -> None:
        _authorise(request, api_key)

    return build(emulator, _rows(), Manners(authorise, _read, _unrouted, ("x-request-id", new_id)))


def _unrouted(request: Request, error: HTTPException) -> Response:
    what = {404: "Not Found", 405: "Method Not Allowed"}.get(error.status_code, error.detail)
    code = 5 if error.status_code == 404 else 3
    return JSONResponse({"code": code, "message": what, "details": []}, error.status_code)


def _authorise(request: Request, api_key: str) -> None:
    if _is_signed(request):
        return
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or key != api_key:
        raise ApiError("UNAUTHENTICATED", "the API key is missing or not valid")
    account = request.path_params.get("account")
    public = request.method == "GET" and "/accounts/fireworks/models" in request.url.path
    if account not in (None, ACCOUNT) and not public:
        raise ApiError("PERMISSION_DENIED", f"no access to account {account}")


def _is_signed(request: Request) -> bool:
    """Whether it goes to a signed URL: a bucket, which takes bytes and no key."""
    return request.url.path.startswith("/signed/")


async def _read(request: Request) -> Any:
    if _is_signed(request):
        return await request.body()
    if is_form(request):
        return dict((await request.form()).multi_items())
    return await read_json(request, invalid("the body is not JSON"))
