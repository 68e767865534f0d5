"""Errors in the Hub's shape: ``{"error": text}`` and the headers that the SDK reads.

Sources: ``hf_raise_for_status`` of huggingface_hub 2.4.0 (X-Error-Code, X-Error-Message). Which
status a refused cancel gets is not documented (here 409).
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused
from ftbridge.testing.wire import Problem, Record


class HubError(Refused):
    """An answer that is not 2xx."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code

    def response(self) -> Response:
        """The text in the body and in a header."""
        headers = {"X-Error-Message": self.message}
        if self.code is not None:
            headers["X-Error-Code"] = self.code
        return JSONResponse({"error": self.message}, self.status, headers)


def no_bucket() -> HubError:
    """The SDK reads a missing bucket from this code."""
    return HubError(404, "Bucket not found", "RepoNotFound")


def no_entry() -> HubError:
    """A path that a bucket lacks."""
    return HubError(404, "Entry not found", "EntryNotFound")


def require(rule: Record, body: object) -> None:
    """Raise 400 with the first thing that is wrong with a body."""
    for problem in rule.problems(body):
        raise HubError(400, f"Invalid request body: {_said(problem)}")


def _said(problem: Problem) -> str:
    return f"{problem.path or 'body'}: {problem.fault} {problem.expected}".strip()
