"""Resource names, filters, and pages by token.

Of the filter grammar (google.aip.dev/160) ``field = value``, ``field != value`` and ``field:*``
are understood, joined by AND; a field may be ``labels.key``. Unverified: newest first, a page of
100 where none is asked, and at most 100.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from ftbridge.testing.plumbing import Call

from .errors import ApiError, invalid
from .store import NUMBER, PROJECT

MOST = 100
_TERM = re.compile(r"""\s*([\w.\-]+?)\s*(!=|=|:)\s*["']?([^"']*?)["']?\s*""")
_SYSTEM = frozenset(("$alt", "alt", "key", "prettyPrint"))


def parameters(call: Call, *known: str) -> dict[str, str]:
    """The query parameters, each known (those that every Google API knows left out)."""
    asked = {name: value for name, value in call.query.items() if name not in _SYSTEM}
    for name in asked:
        if name not in known:
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find.')
    return asked


def id_of(name: str, kind: str, location: str, field: str) -> str:
    """The id in a full resource name of this project and location, without ``@version``."""
    match = re.fullmatch(r"projects/([^/]+)/locations/([^/]+)/(\w+)/([^/]+)", name)
    if match is None or match[3] != kind or match[1] not in (PROJECT, NUMBER):
        raise invalid(
            f"{field}: {name!r} is not a name of the form projects/P/.../{kind}/ID", field
        )
    if match[2] != location:
        raise invalid(f"{field}: {name!r} is in another location than {location}", field)
    return match[4]


def _value(row: dict[str, Any], path: str) -> Any:
    head, _, rest = path.partition(".")
    found = row.get(head)
    return found.get(rest) if rest and isinstance(found, dict) else found


def _fits(row: dict[str, Any], term: str) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        raise invalid(f"filter: cannot read {term!r}", "filter")
    found, operation, wanted = _value(row, match[1]), match[2], match[3]
    if operation == ":":
        return found is not None and wanted in ("*", str(found))
    return (str(found) == wanted) == (operation == "=")


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError as error:
        raise invalid("pageToken: not a token of this list", "pageToken") from error


def page(kind: str, rows: list[dict[str, Any]], call: Call) -> dict[str, Any]:
    """One page of a list that comes newest first; an empty list is an empty object."""
    query = parameters(call, "filter", "pageSize", "pageToken", "readMask", "orderBy")
    if query.get("orderBy"):
        raise ApiError("UNIMPLEMENTED", "this emulator cannot order lists")
    for term in re.split(r"\sAND\s", query.get("filter", "")):
        if term.strip():
            rows = [row for row in rows if _fits(row, term)]
    size_text = query.get("pageSize") or "0"
    if not size_text.isdigit():
        raise invalid("pageSize: not a number", "pageSize")
    size = min(int(size_text) or MOST, MOST)
    start = _offset(query.get("pageToken"))
    answer: dict[str, Any] = {kind: rows[start : start + size]} if rows[start:] else {}
    if start + size < len(rows):
        answer["nextPageToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer
