"""The error envelope: ``{"error": {message, type, param, code}}``.

The SDK's exception classes go by status alone; that the envelope has these four keys is
recalled from answers of the vendor (unverified), the sentences are our own.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused
from ftbridge.testing.wire import Fault, Problem


class ApiError(Refused):
    """What a request is refused with. ``extra`` lies beside ``error`` in the body."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        *,
        code: str | None = None,
        kind: str = "invalid_request_error",
        status: int = 400,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {"message": message, "type": kind, "param": param, "code": code},
            **(extra or {}),
        }

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body, self.status)


def from_problem(problem: Problem) -> ApiError:
    """A fault of a body as the answer to it."""
    path = problem.path
    wording = {
        Fault.UNKNOWN: f"unknown field '{path}'",
        Fault.MISSING: f"'{path}' is required",
        Fault.TYPE: f"'{path}' must be {problem.expected}, not {problem.found}",
    }.get(problem.fault, f"'{path}' must be {problem.expected} (got {problem.found})")
    return ApiError(wording, path, code="invalid_value")


def not_found(what: str) -> ApiError:
    """404 for a file, a job or a model."""
    return ApiError(f"{what} not found", code="not_found", status=404)
