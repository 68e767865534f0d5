"""The ASGI application: routes, key, request ids, and the log of requests."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Manners, build, is_form, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import chat, files, jobs
from .errors import ApiError
from .store import Emulator, Store

Row = plumbing.Row[Emulator]
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
ROUTES: list[Row] = [
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
    emulator = Emulator(Store(), clock, timeline.scaled(speed), latency, speed, api_key)

    def authorise(request: Request) -> None:
        if request.method != "PUT":  # the upload address carries its own credential
            _authorise(request, api_key)

    names = ("x-request-id", partial(secrets.token_hex, 8))
    return build(emulator, ROUTES, Manners(authorise, _read, _unrouted, names))


def _unrouted(request: Request, error: HTTPException) -> Response:
    told = f"{error.detail}: {request.method} {request.url.path}"
    return ApiError(told, status=error.status_code).response()


def _authorise(request: Request, api_key: str) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or key != api_key:
        message = "Invalid API key provided"
        raise ApiError(message, code="invalid_api_key", status=401)


async def _read(request: Request) -> Any:
    """JSON, a form, or the bytes of an upload; an empty object where nothing was sent."""
    if request.method == "PUT":
        return await request.body()
    if is_form(request):
        return dict(await request.form())
    return await read_json(request, ApiError("the body is not valid JSON"), {})
