"""ARM's error envelope, and the blob service's XML.

Shapes: the SDK's ``ErrorResponse`` (azure-ai-ml 1.35.2) and learn.microsoft.com's page of status
and error codes of the blob service. Codes are those seen in public reports; none was provoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Refused


@dataclass
class ArmError(Refused):
    """An answer of the control plane that is not 2xx."""

    status: int
    code: str
    message: str
    target: str | None = None

    def response(self) -> Response:
        """The answer."""
        said = {"code": self.code, "message": self.message, "target": self.target}
        return JSONResponse({"error": said | {"details": []}}, self.status)


@dataclass
class BlobError(Refused):
    """An answer of the blob service that is not 2xx."""

    status: int
    code: str
    message: str

    def response(self) -> Response:
        """The answer; the code stands in a header too, where a HEAD finds it."""
        xml = (
            f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{self.code}</Code>'
            f"<Message>{escape(self.message)}</Message></Error>"
        )
        headers = {"x-ms-error-code": self.code}
        return Response(xml, self.status, headers, media_type="application/xml")


def user_error(message: str, target: str | None = None) -> ArmError:
    """400 as the workspace's own service words it."""
    return ArmError(400, "UserError", message, target)


def not_found(what: str) -> ArmError:
    """404 for something in the workspace that is not there."""
    return ArmError(404, "ResourceNotFound", f"{what} was not found.")
