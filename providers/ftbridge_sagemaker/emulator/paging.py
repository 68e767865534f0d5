"""Lists: filters, order and pages by token. Ascending by creation unless asked otherwise (the
model says so for training jobs; unverified for the others)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import invalid

_DEFAULT = 10
"""Unverified: the page size where none is asked for."""
_NAMES = {"CreationTime": "CreationTime", "LastModifiedTime": "LastModifiedTime"}


def page(
    kind: str, rows: Iterable[dict[str, Any]], params: dict[str, Any], *, name: str,
    equal: Mapping[str, str] | None = None, sort: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One page. ``equal``: filter -> the field that must equal it; ``sort``: SortBy -> field."""
    kept = [row for row in rows if _passes(row, params, name, equal or {})]
    fields = _NAMES | {"Name": name} | dict(sort or {})
    order = fields.get(params.get("SortBy", "CreationTime"), "CreationTime")
    kept.sort(key=lambda row: row[order], reverse=params.get("SortOrder") == "Descending")
    start = _offset(params.get("NextToken"))
    following = start + params.get("MaxResults", _DEFAULT)
    answer: dict[str, Any] = {kind: kept[start:following]}
    if following < len(kept):
        answer["NextToken"] = base64.urlsafe_b64encode(str(following).encode()).decode()
    return answer


def _passes(
    row: dict[str, Any], params: dict[str, Any], name: str, equal: Mapping[str, str]
) -> bool:
    for field in ("CreationTime", "LastModifiedTime"):
        after, before = params.get(f"{field}After"), params.get(f"{field}Before")
        moment = row.get(field, 0.0)
        if (after is not None and moment <= after) or (before is not None and moment >= before):
            return False
    if params.get("NameContains", "").lower() not in str(row.get(name, "")).lower():
        return False
    return all(key not in params or row.get(field) == params[key] for key, field in equal.items())


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        raise invalid("Invalid pagination token") from None
