"""Mistral's error bodies: ``{"detail": [{loc, msg, type}]}`` for 422 (mistralai 3.7.0,
HTTPValidationError); the shape of all others is unverified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused
from ftbridge.testing.wire import Fault, Problem

_TYPES = {
    Fault.UNKNOWN: "extra_forbidden",
    Fault.MISSING: "missing",
    Fault.TYPE: "type_error",
    Fault.CHOICE: "literal_error",
    Fault.BELOW: "greater_than_equal",
    Fault.ABOVE: "less_than_equal",
    Fault.SHORT: "too_short",
    Fault.LONG: "too_long",
    Fault.MANY: "too_long",
}


@dataclass
class ApiError(Refused):
    """An answer that is not 2xx."""

    status: int
    body: dict[str, Any]

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body, self.status)


def refused(status: int, kind: str, message: str) -> ApiError:
    """Any error but a 422."""
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": None}
    return ApiError(status, body)


def not_found(what: str) -> ApiError:
    """404."""
    return refused(404, "not_found", f"{what} not found")


def invalid(field: str, message: str, kind: str = "value_error", place: str = "body") -> ApiError:
    """422 about one field."""
    where: list[str | int] = [place, *field.split(".")]
    return ApiError(422, {"detail": [{"loc": where, "msg": message, "type": kind}]})


def from_problems(problems: list[Problem]) -> ApiError:
    """422 with everything that is wrong with a body."""
    detail = [
        {
            "loc": ["body", *each.path.replace("[", ".").replace("]", "").split(".")],
            "msg": f"{each.fault} {each.expected}".strip(),
            "type": _TYPES[each.fault],
        }
        for each in problems
    ]
    return ApiError(422, {"detail": detail})
