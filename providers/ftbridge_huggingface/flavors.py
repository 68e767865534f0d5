"""Machines by their two names: what the price list calls one, and what a job asks for."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path


@cache
def _flavors() -> dict[str, str]:
    rows = tomllib.loads((Path(__file__).parent / "prices.toml").read_text("utf-8"))["price"]
    return {row["model"]: row["flavor"] for row in rows}


def flavor(name: str) -> str:
    """What a job asks for; a name that the price list lacks is taken for one already."""
    return _flavors().get(name, name)


def pretty(wanted: str) -> str:
    """The price list's name of a flavor; any other name is left as it is."""
    return next((name for name, flavor in _flavors().items() if flavor == wanted), wanted)
