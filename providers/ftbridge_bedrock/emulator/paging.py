"""Lists: filters that most of them share, order, and pages by token.

Unverified: the order where none is asked for (here the newest first), and the page size then (100).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .errors import invalid

_DEFAULT = 100


def page(
    kind: str, rows: Iterable[dict[str, Any]], params: dict[str, Any], *, name: str,
    created: str = "creationTime", equal: tuple[tuple[str, str], ...] = (),
) -> dict[str, Any]:  # fmt: skip
    """One page. ``name`` and ``created`` are the fields that the filters look at; ``equal`` pairs
    a filter with the field that must equal it."""
    kept = [row for row in rows if _passes(row, params, name, created, equal)]
    newest_first = params.get("sortOrder", "Descending") == "Descending"
    kept.sort(key=lambda row: _moment(row[created]), reverse=newest_first)
    start = _offset(params.get("nextToken"))
    following = start + params.get("maxResults", _DEFAULT)
    answer: dict[str, Any] = {kind: kept[start:following]}
    if following < len(kept):
        answer["nextToken"] = base64.urlsafe_b64encode(str(following).encode()).decode()
    return answer


def _passes(
    row: dict[str, Any], params: dict[str, Any], name: str, created: str,
    equal: tuple[tuple[str, str], ...],
) -> bool:  # fmt: skip
    moment = _moment(row[created])
    after = params.get("creationTimeAfter", params.get("createdAfter"))
    before = params.get("creationTimeBefore", params.get("createdBefore"))
    if (after is not None and moment <= after) or (before is not None and moment >= before):
        return False
    if params.get("nameContains", "") not in row[name]:
        return False
    return all(key not in params or params[key] == row[field] for key, field in equal)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        raise invalid("nextToken is not a token of this list") from None
