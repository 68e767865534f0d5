"""The ASGI application: routes, key, request ids, and the log of requests."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ftbridge.testing.timeline import Phase, Timeline

from . import chat, files, jobs
from .errors import ApiError
from .store import Call, Emulator, Recorded, Store

Handler = Callable[[Emulator, Call], Awaitable["dict[str, Any] | Response"]]

JOB_TIMELINE = Timeline(
    (
        Phase("pending", 2),
        Phase("queued", 3),
        Phase("running", 12),
        Phase("compressing", 2),
        Phase("uploading", 2),
    ),
    "completed",
)
UPLOAD = "/upload/{file_id}"
ROUTES: list[tuple[str, str, Handler]] = [
    ("PUT", UPLOAD, files.put),
    ("POST", "/v1/files", files.announce),
    ("GET", "/v1/files", files.list_files),
    ("POST", "/v1/files/{file_id}/preprocess", files.preprocess),
    ("GET", "/v1/files/{file_id}/content", files.content),
    ("GET", "/v1/files/{file_id}", files.retrieve),
    ("DELETE", "/v1/files/{file_id}", files.delete),
    ("GET", "/v1/fine-tunes/models/limits", jobs.model_limits),
    ("POST", "/v1/fine-tunes/estimate-price", jobs.estimate),
    ("POST", "/v1/fine-tunes", jobs.create),
    ("GET", "/v1/fine-tunes", jobs.list_jobs),
    ("GET", "/v1/fine-tunes/{job_id}", jobs.retrieve),
    ("DELETE", "/v1/fine-tunes/{job_id}", jobs.delete),
    ("POST", "/v1/fine-tunes/{job_id}/cancel", jobs.cancel),
    ("GET", "/v1/fine-tunes/{job_id}/events", jobs.list_events),
    ("GET", "/v1/fine-tunes/{job_id}/checkpoints", jobs.list_checkpoints),
    ("GET", "/v1/fine-tunes/{job_id}/metrics", jobs.list_metrics),
    ("GET", "/v1/finetune/download", jobs.download),
    ("POST", "/v1/chat/completions", chat.complete),
]


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    api_key: str = "together-sandbox",
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """Together's fine-tuning surface as an application; what it knows is ``app.state.store``.

    ``speed`` divides the durations of ``timeline`` and of file validation; ``latency`` seconds
    pass before each answer.
    """
    emulator = Emulator(Store(), clock, timeline.scaled(speed), speed, api_key, latency)
    # Routes of one path go together: Starlette answers 405 for the first one that fits a path.
    by_path: dict[str, dict[str, Handler]] = {}
    for method, path, handler in ROUTES:
        by_path.setdefault(path, {})[method] = handler
    routes = [
        Route(path, _endpoint(emulator, handlers), methods=list(handlers))
        for path, handlers in by_path.items()
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})
    app.state.store = emulator.store
    return app


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refused = ApiError(f"{error.detail}: {request.method} {request.url.path}")
    return JSONResponse(refused.body, error.status_code)


def _endpoint(
    emulator: Emulator, handlers: dict[str, Handler]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        query = request.query_params.multi_items()
        record = Recorded(request.method, request.url.path, query, None)
        emulator.store.requests.append(record)
        response = await _answer(emulator, handlers[request.method], request, record)
        record.status = response.status_code
        response.headers["x-request-id"] = secrets.token_hex(8)
        # After the work: a client that gives up waiting has made its job all the same.
        await asyncio.sleep(emulator.latency)
        return response

    return endpoint


async def _answer(
    emulator: Emulator, handler: Handler, request: Request, record: Recorded
) -> Response:
    try:
        if request.method != "PUT":  # the upload address carries its own credential
            _authorise(request, emulator.api_key)
        body = await _body(request)
        record.body = len(body) if isinstance(body, bytes) else body
        query, base = dict(record.query), str(request.base_url).rstrip("/")
        call = Call(dict(request.path_params), query, body, emulator.clock(), base)
        answer = await handler(emulator, call)
    except ApiError as error:
        return JSONResponse(error.body, error.status)
    finally:
        await request.close()
    return answer if isinstance(answer, Response) else JSONResponse(answer)


def _authorise(request: Request, api_key: str) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or key != api_key:
        message = "Invalid API key provided"
        raise ApiError(message, code="invalid_api_key", status=401)


async def _body(request: Request) -> Any:
    """JSON, a form, or the bytes of an upload; an empty object where nothing was sent."""
    if request.method == "PUT":
        return await request.body()
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return dict(await request.form())
    raw = await request.body()
    if not raw:
        return {}
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except ValueError as error:
        raise ApiError("the body is not valid JSON") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
