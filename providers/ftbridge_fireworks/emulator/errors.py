"""Fireworks' errors: ``{"code": 3, "message": ..., "details": []}``, as a gRPC gateway says them.

The code names are those of the SDK's ``Status`` type. Unverified: that the control plane answers
in this shape at all; the statuses follow the gateway's public table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused
from ftbridge.testing.wire import Fault, Problem

# name -> (gRPC code, HTTP status)
CODES = {
    "INVALID_ARGUMENT": (3, 400),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "UNIMPLEMENTED": (12, 501),
    "UNAUTHENTICATED": (16, 401),
}
_WORDING = {
    Fault.UNKNOWN: 'unknown field "{path}"',
    Fault.MISSING: "{path} is required",
    Fault.TYPE: "{path}: expected {expected}, got {found}",
    Fault.CHOICE: "{path}: {found!r} is not one of {expected}",
    Fault.BELOW: "{path}: {found} is not {expected}",
    Fault.ABOVE: "{path}: {found} is not {expected}",
    Fault.SHORT: "{path}: length {found} is below {expected}",
    Fault.LONG: "{path}: length {found} is above {expected}",
    Fault.MANY: "{path}: {found} entries, at most {expected}",
}


@dataclass
class ApiError(Refused):
    """An answer that is not 2xx; ``inference`` chooses the shape of the chat route."""

    name: str
    message: str
    inference: bool = False

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CODES[self.name][1]

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body(), self.status)

    def body(self) -> dict[str, Any]:
        """The JSON document that the client gets."""
        if self.inference:
            kind = "invalid_request_error"
            error = {"object": "error", "type": kind, "code": self.name, "message": self.message}
            return {"error": error}
        return {"code": CODES[self.name][0], "message": self.message, "details": []}


def invalid(message: str) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError("INVALID_ARGUMENT", message)


def not_found(what: str) -> ApiError:
    """404: no such resource."""
    return ApiError("NOT_FOUND", f"{what} not found")


def exists(what: str) -> ApiError:
    """409: the client's id is taken."""
    return ApiError("ALREADY_EXISTS", f"{what} already exists")


def not_now(message: str) -> ApiError:
    """400 with another code: right request, wrong moment."""
    return ApiError("FAILED_PRECONDITION", message)


def from_problem(problem: Problem) -> ApiError:
    """The first thing that is wrong with a body."""
    sentence = _WORDING[problem.fault]
    return invalid(
        sentence.format(path=problem.path, expected=problem.expected, found=problem.found)
    )
