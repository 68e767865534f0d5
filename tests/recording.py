"""A server that keeps what it is sent and answers as planned, so that no emulator's reading of a
vendor's documents stands between a test and the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ftbridge.testing.server import serve


class Sent(NamedTuple):
    """One request; ``body`` is JSON where it was, else the text."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Recorder:
    """Gives the next planned answer (status, JSON, and headers), else what ``usual`` says."""

    usual: Callable[[str, str], Any]
    url: str = ""
    seen: list[Sent] = field(default_factory=list)
    plan: list[tuple[int, Any] | tuple[int, Any, dict[str, str]]] = field(default_factory=list)

    def clear(self) -> None:
        """Forget what was seen and planned."""
        self.seen.clear()
        self.plan.clear()

    async def answer(self, request: Request) -> Response:
        raw = await request.body()
        is_json = "json" in request.headers.get("content-type", "") and raw
        body = json.loads(raw) if is_json else raw.decode()
        path = request.url.path
        query = dict(request.query_params)
        self.seen.append(Sent(request.method, path, query, dict(request.headers), body))
        planned = self.plan.pop(0) if self.plan else (200, self.usual(request.method, path))
        status, content, headers = (*planned, {"x-request-id": "req-1"})[:3]
        if isinstance(content, str):
            return Response(content, status, headers)
        return JSONResponse(content, status, headers)


@contextmanager
def recording(usual: Callable[[str, str], Any]) -> Iterator[Recorder]:
    """Serve one."""
    made = Recorder(usual)
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    with serve(Starlette(routes=[Route("/{path:path}", made.answer, methods=methods)])) as made.url:
        yield made
