"""Prices as a file: TOML like the price lists, CSV for a spreadsheet, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from decimal import Decimal

from ftbridge.cost.listing import document
from ftbridge.cost.prices import PriceRow

COLUMNS = ("provider", "model", "item", "unit", "usd", "method", "training_type", "tier",
           "regions", "meter", "source", "via", "source_date", "seen", "evidence", "age_days",
           "stale", "origin")  # fmt: skip


def to_toml(rows: Sequence[PriceRow]) -> str:
    """A price list, as ``prices.toml`` of a provider is one."""
    import tomlkit

    made = tomlkit.document()
    table = tomlkit.aot()
    for row in rows:
        entry = tomlkit.table()
        content = row.model_dump(exclude_none=True, exclude_defaults=True)
        for name, value in content.items():
            plain = list(value) if isinstance(value, tuple) else value
            entry[name] = tomlkit.value(f"{value:f}") if isinstance(value, Decimal) else plain
        table.append(entry)
    made["price"] = table
    return tomlkit.dumps(made)


def to_csv(rows: Sequence[PriceRow]) -> str:
    """One line a price; several regions are joined by spaces, unknown is empty."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        content = document(row)
        writer.writerow(content | {"regions": " ".join(content["regions"])})
    return stream.getvalue()


def to_json(rows: Sequence[PriceRow]) -> str:
    """The JSON form of ``ftbridge prices``, USD as text so that no digit is lost."""
    content = [document(row) | {"usd": f"{row.usd:f}"} for row in rows]
    return json.dumps({"prices": content}, default=str, indent=1, ensure_ascii=False) + "\n"


FORMS: dict[str, Callable[[Sequence[PriceRow]], str]] = {
    "toml": to_toml,
    "csv": to_csv,
    "json": to_json,
}
