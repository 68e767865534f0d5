"""SageMaker's errors, in the JSON 1.1 protocol: the code in ``__type``, a sentence in ``message``.

All are 400 but those of the service itself. What is not there is answered with ValidationException
by most operations, although the model has ResourceNotFound (github.com/boto/boto3/issues/2808).
The runtime has codes of its own, in ``x-amzn-errortype`` (rest-json).
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused

STATUS = {
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "UnknownOperationException": 404,
    "ModelNotReadyException": 429,
    "ModelError": 424,
}
"""Statuses that are not 400."""


@dataclass
class ApiError(Refused):
    """An answer that is not 2xx."""

    code: str
    message: str

    def response(self) -> Response:
        """The answer, with the code where either protocol looks for it."""
        body = {"__type": self.code, "message": self.message}
        return JSONResponse(
            body,
            STATUS.get(self.code, 400),
            {"x-amzn-errortype": self.code},
            media_type="application/x-amz-json-1.1",
        )


def invalid(message: str) -> ApiError:
    """The request is wrong, or names what is not there."""
    return ApiError("ValidationException", message)


def in_use(message: str) -> ApiError:
    """The name is taken, or the thing is busy."""
    return ApiError("ResourceInUse", message)


def not_found(message: str) -> ApiError:
    """The error that the model has for what is not there."""
    return ApiError("ResourceNotFound", message)
