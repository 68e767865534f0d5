"""The ASGI application: routes, request ids, and how bodies are read. Whoever speaks the wire
says which routes it has under which prefixes, and how a request is authorised."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Manners, is_form, read_json

from . import chat, files, graders, jobs, models
from .errors import ApiError
from .store import Emulator, new_id

Handler = plumbing.Handler[Emulator]
Row = plumbing.Row[Emulator]

Authorise = Callable[[Request], None]
"""Looks at the headers and the address, and raises the vendor's error."""
ROUTES: list[Row] = [
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


def build(emulator: Emulator, rows: Iterable[Row], authorise: Authorise) -> Starlette:
    """An application of these (method, path, handler); its ``state.store`` is the emulator's."""
    names = ("x-request-id", partial(new_id, "req_", 32))
    return plumbing.build(emulator, rows, Manners(authorise, _read, _unrouted, names))


def _unrouted(request: Request, error: HTTPException) -> Response:
    what = {404: "Invalid URL", 405: "Method not allowed"}.get(error.status_code, error.detail)
    message = f"{what} ({request.method} {request.url.path})"
    return JSONResponse(ApiError(message).body(), error.status_code)


async def _read(request: Request) -> Any:
    """JSON, or a form with ``a[b]`` keys nested; None where nothing was sent."""
    if is_form(request):
        return _nested((await request.form()).multi_items())
    unreadable = ApiError("We could not parse the JSON body of your request.")
    return await read_json(request, unreadable, {} if request.method == "POST" else None)


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
