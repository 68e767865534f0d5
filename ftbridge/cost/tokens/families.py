"""Open models are the same wherever they are tuned: their vocabulary and chat template by name."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from ftbridge.catalogue import TokenRule

_FILE = Path(__file__).with_name("families.toml")


def rule_of_family(name: str) -> TokenRule | None:
    """The rule of an open model, by any name it goes under (a family, a hub id, a vendor's id)."""
    plain = name.lower()
    return next((rule for pattern, rule in _families() if pattern.search(plain)), None)


def rules() -> list[TokenRule]:
    """All rules, in the order in which they are tried."""
    return [rule for _, rule in _families()]


@cache
def _families() -> list[tuple[re.Pattern[str], TokenRule]]:
    rows = tomllib.loads(_FILE.read_text("utf-8"))["family"]
    return [(re.compile(row.pop("pattern")), TokenRule.model_validate(row)) for row in rows]
