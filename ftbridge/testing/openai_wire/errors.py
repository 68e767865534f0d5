"""OpenAI's error envelope: ``{"error": {message, type, param, code}}``.

The envelope and its four required keys are those of the OpenAPI document. The codes for bodies
(``unknown_parameter``, ``missing_required_parameter``, ...) are the ones that newer endpoints
answer with; that the fine-tuning endpoints use the same ones is unverified.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused
from ftbridge.testing.wire import Fault, Problem


@dataclass
class ApiError(Refused):
    """An answer that is not 2xx."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400
    type: str = "invalid_request_error"

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body(), self.status)

    def body(self) -> dict[str, dict[str, str | None]]:
        """The JSON document that the client gets."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


# Fault -> (code, sentence)
_WORDING = {
    Fault.UNKNOWN: ("unknown_parameter", "Unknown parameter: '{path}'."),
    Fault.MISSING: ("missing_required_parameter", "Missing required parameter: '{path}'."),
    Fault.TYPE: ("invalid_type", "Invalid type for '{path}': expected {expected}, got {found}."),
    Fault.CHOICE: ("invalid_value", "Invalid value: '{found}'. Supported values: {expected}."),
    Fault.BELOW: ("below_min_value", "Invalid '{path}': {found} is not {expected}."),
    Fault.ABOVE: ("above_max_value", "Invalid '{path}': {found} is not {expected}."),
    Fault.SHORT: ("below_min_length", "Invalid '{path}': length {found} is below {expected}."),
    Fault.LONG: ("above_max_length", "Invalid '{path}': length {found} is above {expected}."),
    Fault.MANY: ("above_max_items", "Invalid '{path}': {found} entries, at most {expected}."),
}


def from_problem(problem: Problem) -> ApiError:
    """How OpenAI words the first thing that is wrong with a body."""
    code, sentence = _WORDING[problem.fault]
    message = sentence.format(path=problem.path, expected=problem.expected, found=problem.found)
    return ApiError(message, problem.path or None, code)


def no_such_file(file_id: str, param: str = "id") -> ApiError:
    """404 for a file; wording and null code as seen in clients' recorded answers."""
    return ApiError(f"No such File object: {file_id}", param, status=404)


def no_such_job(job_id: str) -> ApiError:
    """404 for a job; param and code as seen in another emulator, unverified."""
    return ApiError(
        f"Could not find fine tune: {job_id}", "fine_tune_id", "fine_tune_not_found", status=404
    )


def no_such_model(model: str) -> ApiError:
    """404 for a model that this key cannot see."""
    return ApiError(
        f"The model '{model}' does not exist or you do not have access to it.",
        "model",
        "model_not_found",
        status=404,
    )
