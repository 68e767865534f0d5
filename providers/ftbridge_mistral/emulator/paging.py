"""Query parameters, and pages by ``page`` (from 0) and ``page_size`` (100 unless told)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftbridge.testing.plumbing import Call

from .errors import invalid


def parameters(call: Call, known: Sequence[str]) -> dict[str, str]:
    """The query, which must hold known names only."""
    for name in call.query:
        if name not in known:
            raise invalid(name, "unknown parameter", "extra_forbidden", "query")
    return call.query


def page(rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """One page, with the total of all."""
    number, size = _whole(query, "page", 0, 0), _whole(query, "page_size", 100, 1)
    shown = rows[number * size : (number + 1) * size]
    return {"object": "list", "data": shown, "total": len(rows)}


def _whole(query: dict[str, str], name: str, default: int, least: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or int(text) < least:
        raise invalid(name, f"expected an integer of {least} or more", "int_parsing", "query")
    return int(text)
