"""AWS's errors: the code in ``x-amzn-errortype``, a sentence in the body.

Statuses are the service model's (botocore 1.43.117); those of the common errors, which no service
model has, are from AWS's page of common error types and unverified for Bedrock.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused

STATUS = {
    "AccessDeniedException": 403,
    "ConflictException": 400,
    "InternalServerException": 500,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "ModelNotReadyException": 429,
    "ResourceNotFoundException": 404,
    "SerializationException": 400,
    "ServiceQuotaExceededException": 400,
    "ThrottlingException": 429,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}
_TAIL = ":http://internal.amazon.com/coral/com.amazon.bedrock/"


@dataclass
class ApiError(Refused):
    """An answer that is not 2xx."""

    code: str
    message: str

    def response(self) -> Response:
        """The answer. The header's code carries a tail that SDKs cut off, as the vendor's does."""
        headers = {"x-amzn-errortype": self.code + _TAIL}
        return JSONResponse({"message": self.message}, STATUS[self.code], headers)


def invalid(message: str) -> ApiError:
    """400: the request itself is wrong, or comes at the wrong time."""
    return ApiError("ValidationException", message)


def missing(what: str) -> ApiError:
    """404: no such resource."""
    return ApiError("ResourceNotFoundException", f"Could not find {what}")


def conflict(message: str) -> ApiError:
    """400 in this service model: the resource is in a state that forbids it."""
    return ApiError("ConflictException", message)
