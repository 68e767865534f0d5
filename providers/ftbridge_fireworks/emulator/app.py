"""The ASGI application: routes, key, account, and the log of requests.

A path like ``jobs/ID:cancel`` is a verb on a resource. Other accounts answer 403, except that
anyone may look at the models of ``fireworks``. Unverified: the header of request ids (here
``x-request-id``, which the SDK's exceptions show through the response's headers).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ftbridge.testing.timeline import Phase, Timeline

from . import chat, datasets, jobs, models, serving
from .errors import ApiError, invalid
from .store import ACCOUNT, Call, Emulator, Recorded, Store, new_id

Handler = Callable[[Emulator, Call], Awaitable["dict[str, Any] | Response"]]

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
_JOB_ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "", jobs.create),
    ("GET", "", jobs.list_jobs),
    ("GET", "/{id}", jobs.retrieve),
    ("DELETE", "/{id}", jobs.delete),
    ("POST", "/{id}:cancel", jobs.cancel),
    ("POST", "/{id}:resume", jobs.resume),
    ("GET", "/{id}:getMetricsFileEndpoint", jobs.metrics_endpoint),
]
_ACCOUNT_ROUTES: list[tuple[str, str, Handler]] = [
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
_OTHER_ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/v1/chat/completions", chat.complete),
    ("POST", "/inference/v1/chat/completions", chat.complete),
    ("PUT", "/signed/datasets/{id}/{file}", datasets.put_signed),
    ("GET", "/signed/datasets/{id}/{file}", datasets.get_signed),
    ("GET", "/signed/models/{id}/{file}", models.get_signed),
    ("GET", "/signed/metrics/{kind}/{id}", models.get_metrics),
]
_JOB_KINDS = ("supervisedFineTuningJobs", "dpoJobs", "reinforcementFineTuningJobs")


def _routes() -> list[tuple[str, str, Handler, dict[str, str]]]:
    """Method, path, handler, and what the path says beyond its parameters. Verbs come first."""
    none: dict[str, str] = {}
    of_account = [(method, path, handler, none) for method, path, handler in _ACCOUNT_ROUTES]
    of_jobs = [
        (method, f"/{kind}{path}", handler, {"kind": kind})
        for kind in _JOB_KINDS
        for method, path, handler in _JOB_ROUTES
    ]
    rows = [
        (method, f"/v1/accounts/{{account}}{path}", handler, more)
        for method, path, handler, more in (*of_account, *of_jobs)
    ]
    rows += [(method, path, handler, none) for method, path, handler in _OTHER_ROUTES]
    return sorted(rows, key=lambda row: "}:" not in row[1])


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
    emulator = Emulator(Store(), clock, timeline.scaled(speed), speed, api_key, latency)
    by_path: dict[str, dict[str, tuple[Handler, dict[str, str]]]] = {}
    for method, path, handler, more in _routes():
        by_path.setdefault(path, {})[method] = (handler, more)
    routes = [
        Route(path, _endpoint(emulator, handlers), methods=list(handlers))
        for path, handlers in by_path.items()
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})
    app.state.store = emulator.store
    return app


async def _unrouted(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses (routes, broken forms), in the vendor's shape."""
    assert isinstance(error, HTTPException)
    what = {404: "Not Found", 405: "Method Not Allowed"}.get(error.status_code, error.detail)
    body: dict[str, Any] = {
        "code": 5 if error.status_code == 404 else 3,
        "message": what,
        "details": [],
    }
    return JSONResponse(body, error.status_code)


def _endpoint(
    emulator: Emulator, handlers: dict[str, tuple[Handler, dict[str, str]]]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        items = request.query_params.multi_items()
        record = Recorded(request.method, request.url.path, items, None)
        emulator.store.requests.append(record)
        handler, more = handlers["GET" if request.method == "HEAD" else request.method]
        response = await _answer(emulator, handler, more, request, record)
        response.headers["x-request-id"] = new_id()
        record.status = response.status_code
        # After the work: a client that gives up waiting has made its job all the same.
        await asyncio.sleep(emulator.latency)
        return response

    return endpoint


async def _answer(
    emulator: Emulator,
    handler: Handler,
    more: dict[str, str],
    request: Request,
    record: Recorded,
) -> Response:
    path = {**request.path_params, **more}
    try:
        signed = request.url.path.startswith("/signed/")
        if not signed:
            _authorise(request, emulator.api_key, path.get("account"))
        body = await request.body() if signed else await _body(request)
        record.body = _loggable(body)
        base = str(request.base_url).rstrip("/")
        call = Call(path, dict(record.query), body, emulator.clock(), base)
        answer = await handler(emulator, call)
    except ApiError as error:
        return JSONResponse(error.body(), error.status)
    finally:
        await request.close()
    return answer if isinstance(answer, Response) else JSONResponse(answer)


def _authorise(request: Request, api_key: str, account: str | None) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or key != api_key:
        raise ApiError("UNAUTHENTICATED", "the API key is missing or not valid")
    public = request.method == "GET" and "/accounts/fireworks/models" in request.url.path
    if account not in (None, ACCOUNT) and not public:
        raise ApiError("PERMISSION_DENIED", f"no access to account {account}")


async def _body(request: Request) -> Any:
    """JSON or a form; None where nothing was sent."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return dict((await request.form()).multi_items())
    raw = await request.body()
    if not raw:
        return None
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except ValueError as error:
        raise invalid("the body is not JSON") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _loggable(body: Any) -> Any:
    """A body without the bytes of an upload."""
    if isinstance(body, bytes):
        return {"bytes": len(body)}
    if not isinstance(body, dict):
        return body
    return {
        name: {"filename": value.filename, "bytes": value.size}
        if isinstance(value, UploadFile)
        else value
        for name, value in body.items()
    }
