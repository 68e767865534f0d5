"""The ASGI application: routes, token, and the log of requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Call, Emulator, Manners, build, read_json
from ftbridge.testing.timeline import Phase, Timeline

from . import buckets, jobs
from .errors import HubError
from .settings import NAMESPACE, TOKEN, Hub
from .store import SCHEDULING_SECONDS, Start, Store

Row = plumbing.Row[Hub]

_BUCKET = "/api/buckets/{namespace}/{name}"
_OPEN = ("/api/jobs/hardware", "/api/agent-harnesses")
"""What anyone may read."""
_TIMELINE = Timeline((Phase("SCHEDULING", SCHEDULING_SECONDS),), "RUNNING")


async def whoami(hub: Hub, call: Call) -> dict[str, Any]:
    """GET /api/whoami-v2."""
    token = {"displayName": "sandbox", "role": "write", "createdAt": "2026-11-01T00:00:00.000Z"}
    return {
        "type": "user", "id": "5e9ecfc04957053f60648a3e", "name": NAMESPACE, "orgs": [],
        "fullname": "Sandbox", "canPay": True,
        "auth": {"type": "access_token", "accessToken": token},
    }  # fmt: skip


async def harnesses(hub: Hub, call: Call) -> dict[str, Any]:
    """GET /api/agent-harnesses, which the SDK asks once for its user agent."""
    return {}


ROWS: list[Row] = [
    ("GET", "/api/whoami-v2", whoami),
    ("GET", "/api/agent-harnesses", harnesses),
    ("GET", "/api/jobs/hardware", jobs.hardware),
    ("POST", "/api/jobs/{namespace}", jobs.create),
    ("GET", "/api/jobs/{namespace}", jobs.list_jobs),
    ("GET", "/api/jobs/{namespace}/{id}", jobs.retrieve),
    ("POST", "/api/jobs/{namespace}/{id}/cancel", jobs.cancel),
    ("GET", "/api/jobs/{namespace}/{id}/logs", jobs.logs),
    ("POST", _BUCKET, buckets.create),
    ("GET", _BUCKET, buckets.info),
    ("DELETE", _BUCKET, buckets.delete),
    ("GET", f"{_BUCKET}/tree", buckets.tree),
    ("GET", f"{_BUCKET}/tree/{{prefix:path}}", buckets.tree),
    ("POST", f"{_BUCKET}/paths-info", buckets.paths_info),
    ("POST", f"{_BUCKET}/batch", buckets.batch),
    ("GET", f"{_BUCKET}/xet-read-token", buckets.read_token),
    ("GET", f"{_BUCKET}/xet-write-token", buckets.write_token),
    ("GET", "/buckets/{namespace}/{name}/resolve/{path:path}", buckets.resolve),
]


def create_app(
    *,
    speed: float = 1.0,
    latency: float = 0.0,
    token: str = TOKEN,
    clock: Callable[[], float] = time.time,
    start: Start | None = None,
    held: bool = False,
) -> Starlette:
    """The Hub as an application; what it knows is ``app.state.store``.

    Args:
        speed: divides how long a job waits for its machine; its work takes as long as it takes.
        latency: seconds before each answer.
        start: what begins a command; a process here, unless a test pretends.
        held: jobs wait for :meth:`Store.begin`.
    """
    store = Store(clock, start, None if held else SCHEDULING_SECONDS / speed)
    hub = Emulator(store, clock, _TIMELINE.scaled(speed), latency, speed, token)

    def authorise(request: Request) -> None:
        _authorise(request, token)

    request_id = ("x-request-id", lambda: f"Root=1-{int(clock())}")
    return build(hub, ROWS, Manners(authorise, _read, _unrouted, request_id))


def _authorise(request: Request, token: str) -> None:
    if request.url.path in _OPEN:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or given != token:
        raise HubError(401, "Invalid credentials in Authorization header")
    namespace = request.path_params.get("namespace")
    if namespace not in (None, NAMESPACE, "me"):
        raise HubError(403, f"no access to {namespace}")


async def _read(request: Request) -> Any:
    if request.headers.get("content-type") == "application/x-ndjson":
        return (await request.body()).decode()
    return await read_json(request, HubError(400, "Invalid JSON"))


def _unrouted(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": f"Sorry, we can't find the page: {error.detail}"}, 404)
