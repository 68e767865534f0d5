"""Whether an answer keeps to the form that was asked for."""

from __future__ import annotations

import re
from typing import Any

LAST = re.compile(r"####\s*-?\$?[\d,]+(?:\.\d+)?\s*")


def ends_in_number(reference: str, answer: str, row: dict[str, Any]) -> bool:
    """Whether the last line is `#### ` and a number, right or wrong."""
    lines = answer.strip().splitlines()
    return bool(lines) and LAST.fullmatch(lines[-1]) is not None
