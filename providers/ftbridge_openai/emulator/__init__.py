"""An emulator of OpenAI's fine-tuning surface, for sandboxes and tests without an account.

It serves `ftbridge.testing.openai_wire` (where sources and unverified points stand) under
``/v1`` with OpenAI's key. Written before the adapter and independently of it, so that one
misreading is not made twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request

from ftbridge.testing.openai_wire import (
    ROUTES,
    ApiError,
    Emulator,
    Failure,
    Job,
    Store,
    StoredFile,
    build,
)
from ftbridge.testing.timeline import Phase, Timeline

__all__ = [
    "JOB_TIMELINE",
    "Emulator",
    "Failure",
    "Job",
    "Store",
    "StoredFile",
    "create_app",
]

JOB_TIMELINE = Timeline(
    (Phase("validating_files", 3), Phase("queued", 4), Phase("running", 13)), "succeeded"
)


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    api_key: str = "sk-sandbox",
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """OpenAI's fine-tuning surface as an application; what it knows is ``app.state.store``.

    ``speed`` divides the durations of ``timeline`` (its states: validating_files, queued,
    running, and the final succeeded); ``latency`` seconds pass before each answer.
    """

    def authorise(request: Request) -> None:
        _authorise(request, api_key)

    emulator = Emulator(Store(), clock, timeline.scaled(speed), latency)
    routes = [(method, f"/v1{path}", handler) for method, path, handler in ROUTES]
    return build(emulator, routes, authorise)


def _authorise(request: Request, api_key: str) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key:
        message = "You didn't provide an API key in an Authorization header (Bearer)."
        raise ApiError(message, status=401)
    if key != api_key:
        message = f"Incorrect API key provided: {key[:3]}***{key[-4:]}."
        raise ApiError(message, code="invalid_api_key", status=401)
