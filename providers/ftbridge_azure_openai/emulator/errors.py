"""ARM's error envelope, ``{"error": {code, message}}``, which the data plane's 401 and 404 of
the gateway share. The codes are those seen in public reports; none was provoked."""

from __future__ import annotations

from typing import Any

from ftbridge.testing.openai_wire import ApiError


class ArmError(ApiError):
    """An answer with a code and a message, and nothing else."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message, None, code, status)

    def body(self) -> dict[str, dict[str, Any]]:
        """The JSON document that the client gets."""
        return {"error": {"code": self.code, "message": self.message}}


def access_denied() -> ArmError:
    """The gateway's 401."""
    message = "Access denied due to invalid subscription key or wrong API endpoint."
    return ArmError("401", message, 401)


def no_deployment() -> ArmError:
    """404 for a name that nothing is deployed under (yet)."""
    message = "The API deployment for this resource does not exist."
    return ArmError("DeploymentNotFound", message, 404)
