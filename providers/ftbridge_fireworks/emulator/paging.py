"""Resource names, query parameters, and pages by token.

Bounds of ``pageSize`` and the default order (by name) are the SDK's docstrings. Of the filter
grammar (google.aip.dev/160) only ``field = "value"`` is understood, joined by AND. Unverified:
``totalSize`` is the count after the filter, and an unknown query parameter is refused.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Any

from ftbridge.testing.plumbing import Call

from .errors import ApiError, invalid
from .schema import ID
from .store import ACCOUNT

LIST = ("filter", "orderBy", "pageSize", "pageToken", "readMask")
_MOST, _DEFAULT = 200, 50
_TERM = re.compile(r"""\s*([A-Za-z_.]+)\s*=\s*["']?([^"']*?)["']?\s*""")


def name(kind: str, resource_id: str, account: str = ACCOUNT) -> str:
    """The resource name of something in an account."""
    return f"accounts/{account}/{kind}/{resource_id}"


def require_id(value: str, what: str) -> str:
    """A client-chosen id, in the form of resource ids."""
    if not ID.fullmatch(value):
        raise invalid(f"{what}: {value!r} is not 1-63 of a-z, 0-9 and -, starting with a letter")
    return value


def id_of(value: str, kind: str, what: str) -> str:
    """The id in a full resource name of this account."""
    prefix = f"accounts/{ACCOUNT}/{kind}/"
    if not value.startswith(prefix):
        raise invalid(f"{what}: {value!r} is not a name of the form {prefix}ID")
    return value.removeprefix(prefix)


def parameters(call: Call, known: Collection[str]) -> dict[str, str]:
    """The query parameters, each known."""
    for key in call.query:
        if key not in known:
            raise invalid(f"unknown query parameter {key!r}")
    return call.query


def _camel(text: str) -> str:
    head, *rest = text.split("_")
    return head + "".join(part.title() for part in rest)


def _filtered(rows: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    for term in re.split(r"\sAND\s", text):
        match = _TERM.fullmatch(term)
        if match is None:
            raise ApiError("UNIMPLEMENTED", f"this emulator cannot read the filter {text!r}")
        key, value = _camel(match[1]), match[2]
        rows = [row for row in rows if str(row.get(key, "")) == value]
    return rows


def _ordered(rows: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    for part in reversed(text.split(",")):
        key, _, way = part.strip().partition(" ")
        if way.strip() not in ("", "asc", "desc"):
            raise invalid(f"orderBy: cannot read {part!r}")
        rows = sorted(rows, key=lambda row: str(row.get(_camel(key), "")), reverse="desc" in way)
    return rows


def masked(row: dict[str, Any], mask: str | None) -> dict[str, Any]:
    """Only the fields that ``readMask`` names; all of them without one, or with ``*``."""
    wanted = {_camel(key.strip()) for key in (mask or "").split(",")}
    return row if wanted & {"", "*"} else {k: v for k, v in row.items() if k in wanted}


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError as error:
        raise invalid("pageToken: not a token of this list") from error


def page(
    kind: str, rows: list[dict[str, Any]], call: Call, order: str = "name", extra: str = ""
) -> dict[str, Any]:
    """One page of a list, ordered, filtered and masked."""
    query = parameters(call, (*LIST, extra) if extra else LIST)
    size_text = query.get("pageSize") or str(_DEFAULT)
    if not size_text.isdigit():
        raise invalid("pageSize: not a number")
    size = min(int(size_text) or _DEFAULT, _MOST)
    if query.get("filter"):
        rows = _filtered(rows, query["filter"])
    rows = _ordered(rows, query.get("orderBy") or order)
    start = _offset(query.get("pageToken"))
    following = start + size
    more = following < len(rows)
    return {
        kind: [masked(row, query.get("readMask")) for row in rows[start:following]],
        "nextPageToken": base64.urlsafe_b64encode(str(following).encode()).decode() if more else "",
        "totalSize": len(rows),
    }
