"""What passes between an SDK and an emulator, kept as JSON for golden files and schema checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Exchange:
    """One request and its answer; ``sent`` and ``answered`` are JSON, fields of a form, or None
    where the body is neither."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    sent: Any
    status: int = 0
    answered: Any = None


@dataclass
class Tape:
    """An ASGI application around another that keeps every exchange."""

    app: ASGIApp
    exchanges: list[Exchange] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        whole: Message = {"type": "http.request", "body": await request.body()}
        exchange = Exchange(
            request.method, request.url.path, dict(request.query_params), dict(request.headers),
            await _sent(scope, whole),
        )  # fmt: skip
        self.exchanges.append(exchange)
        answer = bytearray()

        async def again() -> Message:
            return whole

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            else:
                answer.extend(message.get("body", b""))
                exchange.answered = _json(bytes(answer))
            await send(message)

        await self.app(scope, again, keep)


async def _sent(scope: Scope, whole: Message) -> Any:
    async def replay() -> Message:
        return whole

    request = Request(scope, replay)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _json(whole["body"])
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def shown(exchanges: Iterable[Exchange], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The requests as golden files have them; polls of one thing count once.

    Args:
        names: expressions for what differs from run to run, and what stands for it.
    """
    lines = []
    for one in exchanges:
        query = "&".join(f"{name}={value}" for name, value in sorted(one.query.items()))
        line: dict[str, Any] = {"request": f"{one.method} {one.path}{'?' if query else ''}{query}"}
        if one.sent is not None:
            line["body"] = one.sent
        text = json.dumps(line)
        for pattern, name in names.items():
            text = re.sub(pattern, name, text)
        lines.append(text)
    return [json.loads(text) for text, _ in groupby(lines)]
