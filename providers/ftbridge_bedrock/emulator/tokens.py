"""Client request tokens: the same token with the same request gives the same resource.

CreateModelCustomizationJob's documentation: a token that matches a previous request makes the
service ignore the new one, without an error. Unverified: what a known token with another request
is answered with; here ConflictException where the operation has it, else ValidationException.
"""

from __future__ import annotations

from typing import Any

from .errors import ApiError
from .store import Emulator


def known(emulator: Emulator, model: Any, body: dict[str, Any]) -> str | None:
    """The ARN that this request made before, if it did; raises when the token was another's."""
    token = body.get("clientRequestToken")
    before = emulator.store.tokens.get((model.name, token)) if token else None
    if before is None:
        return None
    asked, arn = before
    if asked == body:
        return arn
    codes = {shape.name for shape in model.error_shapes}
    code = "ConflictException" if "ConflictException" in codes else "ValidationException"
    raise ApiError(code, "The client request token was used with another request")


def remember(emulator: Emulator, model: Any, body: dict[str, Any], arn: str) -> None:
    """Keep what a token made."""
    if body.get("clientRequestToken"):
        emulator.store.tokens[model.name, body["clientRequestToken"]] = (body, arn)
