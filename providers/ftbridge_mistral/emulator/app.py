"""The ASGI application: routes, key, and the log of requests.

Unverified: the header of request ids (here ``mistral-correlation-id``).
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ftbridge.testing.timeline import Phase, Timeline

from . import classifications, files, jobs, models
from .errors import ApiError, invalid, refused
from .store import Call, Emulator, Recorded, Store

Handler = Callable[[Emulator, Call], Awaitable["dict[str, Any] | Response"]]

JOB_TIMELINE = Timeline(
    (
        Phase("QUEUED", 1),
        Phase("STARTED", 1),
        Phase("VALIDATING", 2),
        Phase("VALIDATED", 1),
        Phase("RUNNING", 10),
    ),
    "SUCCESS",
)
_ROUTES: dict[str, dict[str, Handler]] = {
    "/v1/files": {"POST": files.upload, "GET": files.list_files},
    "/v1/files/{id}": {"GET": files.retrieve, "DELETE": files.delete},
    "/v1/files/{id}/content": {"GET": files.content},
    "/v1/fine_tuning/jobs": {"POST": jobs.create, "GET": jobs.list_jobs},
    "/v1/fine_tuning/jobs/{id}": {"GET": jobs.retrieve},
    "/v1/fine_tuning/jobs/{id}/cancel": {"POST": jobs.cancel},
    "/v1/fine_tuning/jobs/{id}/start": {"POST": jobs.start},
    "/v1/fine_tuning/models/{id}": {"PATCH": models.update},
    "/v1/fine_tuning/models/{id}/archive": {"POST": models.archive, "DELETE": models.unarchive},
    "/v1/models": {"GET": models.list_models},
    "/v1/models/{id}": {"GET": models.retrieve, "DELETE": models.delete},
    "/v1/chat/completions": {"POST": models.chat},
    "/v1/classifications": {"POST": classifications.texts},
    "/v1/chat/classifications": {"POST": classifications.chats},
}


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    api_key: str = "mistral-sandbox",
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """Mistral's fine-tuning surface as an application; what it knows is ``app.state.store``.

    ``speed`` divides all durations; ``latency`` seconds pass before each answer.
    """
    emulator = Emulator(Store(), clock, timeline.scaled(speed), speed, api_key, latency)
    routes = [
        Route(path, _endpoint(emulator, handlers), methods=list(handlers))
        for path, handlers in _ROUTES.items()
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})
    app.state.store = emulator.store
    return app


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code)


def _endpoint(
    emulator: Emulator, handlers: dict[str, Handler]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        query = request.query_params.multi_items()
        record = Recorded(request.method, request.url.path, query, None)
        emulator.store.requests.append(record)
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        response = await _answer(emulator, handler, request, record)
        response.headers["mistral-correlation-id"] = uuid.uuid4().hex
        record.status = response.status_code
        # After the work: a client that gives up waiting has made its job all the same.
        await asyncio.sleep(emulator.latency)
        return response

    return endpoint


async def _answer(
    emulator: Emulator, handler: Handler, request: Request, record: Recorded
) -> Response:
    try:
        if request.headers.get("authorization") != f"Bearer {emulator.api_key}":
            raise refused(401, "unauthorized", "Unauthorized")
        body = await _body(request)
        record.body = _loggable(body)
        call = Call(request.path_params, dict(record.query), body, emulator.clock())
        answer = await handler(emulator, call)
    except ApiError as error:
        return JSONResponse(error.body, error.status)
    finally:
        await request.close()
    return answer if isinstance(answer, Response) else JSONResponse(answer)


async def _body(request: Request) -> Any:
    """JSON or a form; None where nothing was sent."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return dict((await request.form()).multi_items())
    raw = await request.body()
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        raise invalid("body", "JSON decode error", "json_invalid") from error


def _loggable(body: Any) -> Any:
    """A body without the bytes of an upload."""
    if not isinstance(body, dict):
        return body
    return {
        name: {"filename": value.filename, "bytes": value.size}
        if isinstance(value, UploadFile)
        else value
        for name, value in body.items()
    }
