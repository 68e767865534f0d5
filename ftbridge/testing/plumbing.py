"""What every emulator is made of: a memory, a log of requests, and a request's way from its route
to its answer. Vendor-free; needs starlette (the extra ``sandbox``).

An emulator brings its routes, its :class:`Manners` and what it remembers. Its errors are
:class:`Refused`, in the vendor's own shape.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ftbridge.testing.timeline import Timeline


@dataclass
class Recorded:
    """One request, with the body as it was understood (uploads: name and size)."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    status: int = 0


@dataclass
class Memory:
    """What every store has beside what its vendor knows: all requests, and lists that lag."""

    requests: list[Recorded] = field(default_factory=list)
    list_lag: float = 0.0
    hidden_until: dict[str, float] = field(default_factory=dict)

    def lag_lists_until(self, key: str, moment: float) -> None:
        """Leave one job or file out of lists until then (GET by id finds it all the same)."""
        self.hidden_until[key] = moment

    def listed(self, key: str, created: float, now: float) -> bool:
        """Whether lists show it yet: vendors' lists lag behind their creates."""
        return now >= max(created + self.list_lag, self.hidden_until.get(key, created))


M = TypeVar("M", bound=Memory)


@dataclass
class Emulator(Generic[M]):
    """One emulated account: its store, its clock, and how long its jobs take.

    ``latency`` seconds pass before each answer; ``speed`` divides all durations.
    """

    store: M
    clock: Callable[[], float]
    timeline: Timeline
    latency: float = 0.0
    speed: float = 1.0
    api_key: str = ""


@dataclass(frozen=True)
class Call:
    """One request, read and authorised. ``base`` is the emulator's own address."""

    path: dict[str, str]
    pairs: list[tuple[str, str]]
    body: Any
    now: float
    base: str

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; of one that is given twice the last."""
        return dict(self.pairs)


E = TypeVar("E", bound="Emulator[Any]")
Handler: TypeAlias = Callable[[E, Call], Awaitable["dict[str, Any] | Response"]]
Row: TypeAlias = tuple[str, str, Callable[[E, Call], Awaitable["dict[str, Any] | Response"]]]
"""Method, path and handler."""


class Refused(Exception):
    """An answer that is not 2xx."""

    def response(self) -> Response:
        """The answer in the vendor's shape."""
        raise NotImplementedError


@dataclass(frozen=True)
class Manners:
    """How a vendor's surface behaves whatever is asked.

    Args:
        authorise: looks at headers and address, and raises the vendor's error.
        read: the body as the handlers get it.
        unrouted: what Starlette itself refuses (routes, broken forms), in the vendor's shape.
        request_id: the header that every answer carries, and who makes its value.
    """

    authorise: Callable[[Request], None]
    read: Callable[[Request], Awaitable[Any]]
    unrouted: Callable[[Request, HTTPException], Response]
    request_id: tuple[str, Callable[[], str]]


def build(emulator: E, rows: Iterable[Row[E]], manners: Manners) -> Starlette:
    """The application; its ``state.store`` is the emulator's."""
    # Routes of one path go together: Starlette answers 405 for the first one that fits a path.
    by_path: dict[str, dict[str, Handler[E]]] = {}
    for method, path, handler in rows:
        by_path.setdefault(path, {})[method] = handler
    routes = [
        Route(path, _endpoint(emulator, handlers, manners), methods=list(handlers))
        for path, handlers in by_path.items()
    ]

    async def unrouted(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return manners.unrouted(request, error)

    app = Starlette(routes=routes, exception_handlers={HTTPException: unrouted})
    app.add_middleware(_RequestId, *manners.request_id)
    app.state.store = emulator.store
    return app


def is_form(request: Request) -> bool:
    """Whether the body is a multipart form."""
    return request.headers.get("content-type", "").startswith("multipart/form-data")


async def read_json(request: Request, unreadable: Exception, empty: Any = None) -> Any:
    """The body as JSON, ``empty`` where nothing was sent; raises ``unreadable``."""
    raw = await request.body()
    if not raw:
        return empty
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except ValueError as error:
        raise unreadable from error


class _RequestId:
    """Puts the header of request ids on every answer, errors included."""

    def __init__(self, app: ASGIApp, header: str, make: Callable[[], str]) -> None:
        self._app, self._header, self._make = app, header.encode(), make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                pair = (self._header, self._make().encode())
                message["headers"] = [*message["headers"], pair]
            await send(message)

        await self._app(scope, receive, tagged)


def _endpoint(
    emulator: E, handlers: dict[str, Handler[E]], manners: Manners
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        query = request.query_params.multi_items()
        record = Recorded(request.method, request.url.path, query, None)
        emulator.store.requests.append(record)
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        response = await _answer(emulator, handler, request, record, manners)
        record.status = response.status_code
        # After the work: a client that gives up waiting has made its job all the same.
        await asyncio.sleep(emulator.latency)
        return response

    return endpoint


async def _answer(
    emulator: E, handler: Handler[E], request: Request, record: Recorded, manners: Manners
) -> Response:
    try:
        manners.authorise(request)
        body = await manners.read(request)
        record.body = _loggable(body)
        base = str(request.base_url).rstrip("/")
        call = Call(dict(request.path_params), record.query, body, emulator.clock(), base)
        answer = await handler(emulator, call)
    except Refused as error:
        return error.response()
    finally:
        await request.close()
    return answer if isinstance(answer, Response) else JSONResponse(answer)


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
