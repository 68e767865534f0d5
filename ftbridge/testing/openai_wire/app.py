"""The ASGI application: routes, request ids, and the log of requests. Whoever speaks the wire
says which routes it has under which prefixes, and how a request is authorised."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import chat, files, graders, jobs, models
from .errors import ApiError
from .store import Call, Emulator, Recorded, new_id

Handler = Callable[[Emulator, Call], Awaitable["dict[str, Any] | Response"]]

Authorise = Callable[[Request], None]
"""Looks at the headers and the address, and raises the vendor's error."""
ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/files", files.upload),
    ("GET", "/files", files.list_files),
    ("GET", "/files/{file_id}", files.retrieve),
    ("DELETE", "/files/{file_id}", files.delete),
    ("GET", "/files/{file_id}/content", files.content),
    ("POST", "/fine_tuning/jobs", jobs.create),
    ("GET", "/fine_tuning/jobs", jobs.list_jobs),
    ("GET", "/fine_tuning/jobs/{job_id}", jobs.retrieve),
    ("POST", "/fine_tuning/jobs/{job_id}/cancel", jobs.cancel),
    ("POST", "/fine_tuning/jobs/{job_id}/pause", jobs.pause),
    ("POST", "/fine_tuning/jobs/{job_id}/resume", jobs.resume),
    ("GET", "/fine_tuning/jobs/{job_id}/events", jobs.list_events),
    ("GET", "/fine_tuning/jobs/{job_id}/checkpoints", jobs.list_checkpoints),
    ("POST", "/fine_tuning/alpha/graders/validate", graders.validate),
    ("POST", "/fine_tuning/alpha/graders/run", graders.run),
    ("GET", "/models", models.list_models),
    ("GET", "/models/{model:path}", models.retrieve),
    ("DELETE", "/models/{model:path}", models.delete),
    ("POST", "/chat/completions", chat.complete),
]


def build(
    emulator: Emulator, routes: Iterable[tuple[str, str, Handler]], authorise: Authorise
) -> Starlette:
    """An application of these (method, path, handler); its ``state.store`` is the emulator's."""
    # Routes of one path go together: Starlette answers 405 for the first one that fits a path.
    by_path: dict[str, dict[str, Handler]] = {}
    for method, path, handler in routes:
        by_path.setdefault(path, {})[method] = handler
    served = [
        Route(path, _endpoint(emulator, handlers, authorise), methods=list(handlers))
        for path, handlers in by_path.items()
    ]
    app = Starlette(routes=served, exception_handlers={HTTPException: _unrouted})
    app.add_middleware(_RequestId)
    app.state.store = emulator.store
    return app


class _RequestId:
    """Puts ``x-request-id`` on every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                name = new_id("req_", 32).encode()
                message["headers"] = [*message["headers"], (b"x-request-id", name)]
            await send(message)

        await self._app(scope, receive, tagged)


async def _unrouted(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses (routes, broken forms), in the vendor's envelope."""
    assert isinstance(error, HTTPException)
    what = {404: "Invalid URL", 405: "Method not allowed"}.get(error.status_code, error.detail)
    message = f"{what} ({request.method} {request.url.path})"
    return JSONResponse(ApiError(message).body(), error.status_code)


def _endpoint(
    emulator: Emulator, handlers: dict[str, Handler], authorise: Authorise
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        query = request.query_params.multi_items()
        record = Recorded(request.method, request.url.path, query, None)
        emulator.store.requests.append(record)
        response = await _answer(emulator, handlers[request.method], request, record, authorise)
        record.status = response.status_code
        # After the work: a client that gives up waiting has made its job all the same.
        await asyncio.sleep(emulator.latency)
        return response

    return endpoint


async def _answer(
    emulator: Emulator,
    handler: Handler,
    request: Request,
    record: Recorded,
    authorise: Authorise,
) -> Response:
    try:
        authorise(request)
        body = await _body(request)
        record.body = _loggable(body)
        call = Call(dict(request.path_params), record.query, body, emulator.clock())
        answer = await handler(emulator, call)
    except ApiError as error:
        return JSONResponse(error.body(), error.status)
    finally:
        await request.close()
    return answer if isinstance(answer, Response) else JSONResponse(answer)


async def _body(request: Request) -> Any:
    """JSON, or a form with ``a[b]`` keys nested; None where nothing was sent."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return _nested((await request.form()).multi_items())
    raw = await request.body()
    if not raw:
        return {} if request.method == "POST" else None
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except ValueError as error:
        message = "We could not parse the JSON body of your request."
        raise ApiError(message) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _nested(items: list[tuple[str, Any]]) -> dict[str, Any]:
    form: dict[str, Any] = {}
    for name, value in items:
        outer, _, inner = name.partition("[")
        if inner.endswith("]"):
            number = isinstance(value, str) and value.isascii() and value.isdigit()
            part = form.setdefault(outer, {})
            if not isinstance(part, dict):
                raise ApiError(f"'{outer}' is given in two forms.", outer, "invalid_type")
            part[inner[:-1]] = int(value) if number else value
        else:
            form[name] = value
    return form


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
