"""The ASGI application: routes, key, and the log of requests.

Unverified: the header of request ids (here ``mistral-correlation-id``).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Manners, build, is_form, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import classifications, files, jobs, models
from .errors import invalid, refused
from .store import Emulator, Store

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
_ROUTES: dict[str, dict[str, plumbing.Handler[Emulator]]] = {
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
    emulator = Emulator(Store(), clock, timeline.scaled(speed), latency, speed, api_key)

    def authorise(request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {api_key}":
            raise refused(401, "unauthorized", "Unauthorized")

    rows = [
        (method, path, handler)
        for path, handlers in _ROUTES.items()
        for method, handler in handlers.items()
    ]
    names = ("mistral-correlation-id", lambda: uuid.uuid4().hex)
    return build(emulator, rows, Manners(authorise, _read, _unrouted, names))


def _unrouted(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"detail": error.detail}, error.status_code)


async def _read(request: Request) -> Any:
    if is_form(request):
        return dict((await request.form()).multi_items())
    return await read_json(request, invalid("body", "JSON decode error", "json_invalid"))
