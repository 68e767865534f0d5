"""A key that goes in a header of its own instead of the SDK's ``Authorization: Bearer``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit


def in_header(base_url: str, header: str, key: str) -> dict[str, list[Callable[[Any], None]]]:
    """Event hooks of the SDK's HTTP client that move the key, for this address alone."""
    home = _origin(urlsplit(base_url))

    def move(request: Any) -> None:
        request.headers.pop("authorization", None)
        # A redirect passes here too, and must not carry the key to another host.
        if _origin(urlsplit(str(request.url))) == home:
            request.headers[header] = key

    return {"request": [move]}


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)
