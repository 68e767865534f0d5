"""A request's way from its route to its operation, checked against the service model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.responses import JSONResponse, Response

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Call

from . import shapes
from .store import Emulator


@dataclass(frozen=True)
class Asked:
    """A request whose members are all of the model's making."""

    model: Any
    params: dict[str, Any]
    now: float


Operation: TypeAlias = Callable[[Emulator, Asked], Awaitable[dict[str, Any] | Response]]


def row(service: str, name: str, act: Operation) -> plumbing.Row[Emulator]:
    """The route of an operation; ARNs in paths bring slashes of their own."""
    model = shapes.operation(service, name)
    path = model.http["requestUri"].replace("}", ":path}")
    status = int(model.http.get("responseCode", 200))

    async def handle(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
        body = None if isinstance(call.body, bytes) else call.body
        asked = Asked(model, shapes.asked(model, call.path, call.query, body), call.now)
        if isinstance(call.body, bytes):
            asked.params["body"] = call.body
        answer = await act(emulator, asked)
        return answer if isinstance(answer, Response) else JSONResponse(answer, status)

    return model.http["method"], path, handle
