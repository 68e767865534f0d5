"""Emulators of compatible servers, on one address: a plain one, and one a shipped profile.

``/v1`` is OpenAI's wire as it is (`ftbridge.testing.openai_wire`); ``/nebius/v1`` has Nebius's
differences (see that module for its sources). Both want the same key as a Bearer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request

from ftbridge.testing.openai_wire import ROUTES, ApiError, Emulator, Store, build
from ftbridge.testing.timeline import Phase, Timeline

from . import nebius

__all__ = ["JOB_TIMELINE", "SANDBOX_KEY", "Store", "create_app"]

SANDBOX_KEY = "compatible-sandbox-key"
JOB_TIMELINE = Timeline(
    (Phase("validating_files", 3), Phase("queued", 4), Phase("running", 13)), "succeeded"
)


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    api_key: str = SANDBOX_KEY,
    key_header: str = "authorization",
    clock: Callable[[], float] = time.time,
    timeline: Timeline = JOB_TIMELINE,
) -> Starlette:
    """The servers as one application; what they know is ``app.state.store``.

    Args:
        key_header: where the key is looked for; with ``authorization`` it must be a Bearer.
    """
    wanted = f"Bearer {api_key}" if key_header == "authorization" else api_key

    def authorise(request: Request) -> None:
        if request.headers.get(key_header) == wanted:
            return
        if request.url.path.startswith(nebius.PREFIX):
            raise nebius.Detailed("Invalid API key", 401)
        raise ApiError("Incorrect API key provided.", code="invalid_api_key", status=401)

    emulator = Emulator(Store(), clock, timeline.scaled(speed), latency, bases=nebius.BASES)
    plain = [(method, f"/v1{path}", handler) for method, path, handler in ROUTES]
    return build(emulator, [*plain, *nebius.routes()], authorise)
