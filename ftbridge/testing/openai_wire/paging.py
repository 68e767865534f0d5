"""Query parameters and cursor pages.

The page shape is the OpenAPI document's; the SDK takes the last item's id as ``after``.
Unverified: the largest ``limit`` of the fine-tuning lists (here 100), what an unknown cursor
gets (here 400), and whether unknown query parameters are refused (here they are).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from ftbridge.testing.plumbing import Call

from .errors import ApiError

T = TypeVar("T")


def parameters(call: Call, known: Collection[str]) -> dict[str, str]:
    """The query parameters, each known and given once."""
    found: dict[str, str] = {}
    for name, value in call.pairs:
        if name not in known:
            raise ApiError(f"Unknown query parameter: '{name}'.", name, "unknown_parameter")
        if name in found:
            raise ApiError(f"Query parameter '{name}' given twice.", name, "invalid_value")
        found[name] = value
    return found


def _limit(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        message = f"Invalid 'limit': expected an integer from 1 to {most}, got '{text}'."
        raise ApiError(message, "limit", "invalid_value")
    return int(text)


def page(
    items: Sequence[T],
    query: dict[str, str],
    key: Callable[[T], str],
    show: Callable[[T], dict[str, Any]],
    default: int,
    most: int,
) -> dict[str, Any]:
    """One page of a list, after the cursor; only what is on it is rendered."""
    limit = _limit(query.get("limit"), default, most)
    start = 0
    if "after" in query:
        keys = [key(item) for item in items]
        if query["after"] not in keys:
            raise ApiError(f"Invalid cursor: '{query['after']}'.", "after", "invalid_value")
        start = keys.index(query["after"]) + 1
    chosen = items[start : start + limit]
    return {
        "object": "list",
        "data": [show(item) for item in chosen],
        "first_id": key(chosen[0]) if chosen else None,
        "last_id": key(chosen[-1]) if chosen else None,
        "has_more": start + limit < len(items),
    }
