"""The user's own prices: ``[[price]]`` rows in ``config.toml`` of the home."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ftbridge import clock
from ftbridge.cost.prices import PriceRow, override
from ftbridge.errors import UsageError
from ftbridge.files import atomic_write

KEYS = ("provider", "model", "item", "method", "training_type", "tier", "region")
"""What two rows for the same thing have in common."""


def set_price(home: Path, row: Mapping[str, Any]) -> PriceRow:
    """Write a price into the settings, in the place of one for the same thing; comments stay.

    Raises:
        UsageError: where the row is no price, or the file no TOML; nothing is written then.
    """
    import tomlkit
    from tomlkit.exceptions import ParseError

    today = {"source_date": clock.today()}
    given = today | {name: value for name, value in row.items() if value is not None}
    found = override(given)
    path = home / "config.toml"
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
    except ParseError as error:
        raise UsageError(f"{path}: not TOML: {error}", hint="correct that line") from None
    table = tomlkit.table()
    for name, value in given.items():
        table[name] = tomlkit.value(f"{value:f}") if isinstance(value, Decimal) else value
    rows = document.setdefault("price", tomlkit.aot())
    kept = [old for old in rows if any(old.get(key) != given.get(key) for key in KEYS)]
    document["price"] = tomlkit.aot()
    for old in (*kept, table):
        document["price"].append(old)
    with atomic_write(path) as stream:
        stream.write(tomlkit.dumps(document).encode())
    return found
