"""Google's errors: ``{"error": {"code": 400, "message", "status", "details"}}``.

The codes and statuses are google.rpc.Code's. Storage answers with ``errors[].reason`` instead of
``status`` and ``details``; a download that fails answers in plain text. Unverified: which code the
tuning service gives for what; wordings follow the JSON gateway's for unknown fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from ftbridge.testing.plumbing import Refused
from ftbridge.testing.wire import Fault, Problem

# name -> (google.rpc.Code, HTTP status)
CODES = {
    "CANCELLED": (1, 499),
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
    Fault.UNKNOWN: 'Invalid JSON payload received. Unknown name "{path}": Cannot find field.',
    Fault.MISSING: "{path} is required.",
    Fault.TYPE: "Invalid value at '{path}': expected {expected}, got {found}.",
    Fault.CHOICE: "Invalid value at '{path}': \"{found}\" is not one of {expected}.",
    Fault.BELOW: "{path}: {found} is out of range, expected {expected}.",
    Fault.ABOVE: "{path}: {found} is out of range, expected {expected}.",
    Fault.SHORT: "{path}: length {found} is below {expected}.",
    Fault.LONG: "{path}: length {found} is above {expected}.",
    Fault.MANY: "{path}: {found} entries, at most {expected}.",
}


@dataclass
class ApiError(Refused):
    """An answer that is not 2xx, as the tuning service gives it."""

    name: str
    message: str
    details: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CODES[self.name][1]

    def response(self) -> Response:
        """The answer."""
        error: dict[str, Any] = {
            "code": self.status,
            "message": self.message,
            "status": self.name,
        }
        if self.details:
            error["details"] = self.details
        return JSONResponse({"error": error}, self.status)


@dataclass
class StorageError(Refused):
    """An answer that is not 2xx, as Cloud Storage gives it."""

    status: int
    reason: str
    message: str
    plain: bool = False

    def response(self) -> Response:
        """The answer: JSON, or the bare sentence for a download."""
        if self.plain:
            return PlainTextResponse(self.message, self.status)
        one = {"message": self.message, "domain": "global", "reason": self.reason}
        error = {"code": self.status, "message": self.message, "errors": [one]}
        return JSONResponse({"error": error}, self.status)


def invalid(message: str, path: str = "") -> ApiError:
    """400: the request itself is wrong; ``path`` names the field."""
    if not path:
        return ApiError("INVALID_ARGUMENT", message)
    violation = {"field": path, "description": message}
    kind = "type.googleapis.com/google.rpc.BadRequest"
    return ApiError("INVALID_ARGUMENT", message, [{"@type": kind, "fieldViolations": [violation]}])


def not_found(what: str) -> ApiError:
    """404: no such resource."""
    return ApiError("NOT_FOUND", f"{what} is not found.")


def not_now(message: str) -> ApiError:
    """400 with another status: right request, wrong moment."""
    return ApiError("FAILED_PRECONDITION", message)


def from_problem(problem: Problem) -> ApiError:
    """The first thing that is wrong with a body."""
    sentence = _WORDING[problem.fault].format(
        path=problem.path, expected=problem.expected, found=problem.found
    )
    return invalid(sentence, problem.path)
