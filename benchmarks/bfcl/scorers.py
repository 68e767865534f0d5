"""Whether calls that are written as text are the right ones."""

from __future__ import annotations

import json
from typing import Any


def same_calls(reference: str, answer: str, row: dict[str, Any]) -> bool:
    """The same functions with the same arguments, whatever their order."""
    return _calls(answer) == _calls(reference)


def same_names(reference: str, answer: str, row: dict[str, Any]) -> bool:
    """The same functions, whatever their arguments."""
    given, wanted = _calls(answer), _calls(reference)
    return given is not None and [name for name, _ in given] == [name for name, _ in wanted or ()]


def _calls(text: str) -> list[tuple[str, str]] | None:
    """Name and arguments of each call in one order; None where the text is no list of calls."""
    try:
        found = json.loads(text)
        return sorted((call["name"], json.dumps(call["arguments"], sort_keys=True))
                      for call in found)  # fmt: skip
    except (ValueError, TypeError, KeyError):
        return None
