"""Choosing prices from the book and showing them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ftbridge.cost.prices import UNITS, PriceRow
from ftbridge.cost.refresh import Change, Outcome
from ftbridge.errors import UsageError


def choose(
    rows: Iterable[PriceRow],
    *,
    provider: str | None = None,
    model: str | None = None,
    item: str | None = None,
    method: str | None = None,
    region: str | None = None,
    stale: bool = False,
) -> list[PriceRow]:
    """The rows that all filters let through; what holds for every method or region is let."""
    methods = (None, "rft", "rl") if method in ("rl", "rft") else (None, method)
    return [
        row
        for row in rows
        if provider in (None, row.provider)
        and (
            model is None or any(model.lower() in name.lower() for name in (row.model, *row.models))
        )
        and item in (None, row.item)
        and (method is None or row.method in methods)
        and (region is None or not row.places or region in row.places)
        and (row.stale or not stale)
    ]


def document(row: PriceRow) -> dict[str, Any]:
    """The JSON form: the row, its age in days (null: unknown), and whether it is stale."""
    content = row.model_dump(exclude={"models", "regions"})
    return content | {
        "models": list(row.models),
        "regions": list(row.places),
        "age_days": row.age_days,
        "stale": row.stale,
        "ended": row.ended,
    }


def age(row: PriceRow) -> str:
    """The age in words; old and unknown ones say so, and what is offered no more."""
    if row.ended:
        return f"ended {row.ends}"
    if row.age_days is None:
        return "date unknown"
    at_least = "at most " if row.source_date_is == "not_before" else ""
    return f"{at_least}{row.age_days} days" + (" (stale)" if row.stale else "")


def condition(row: PriceRow) -> str:
    """What must be so for the price to hold: method, training type, tier, region."""
    places = ",".join(row.places[:2]) + (f"+{len(row.places) - 2}" if len(row.places) > 2 else "")
    return " ".join(filter(None, (row.method, row.training_type, row.tier, places)))


def usual_unit(item: str) -> str:
    """The unit that an item is priced in.

    Raises:
        UsageError: where that is not known.
    """
    if item not in UNITS:
        raise UsageError(
            f"`{item}` has no usual unit",
            hint=f"name it with --unit, or one of the items: {', '.join(UNITS)}",
            where="item",
        )
    return min(UNITS[item])


def outcome(item: Outcome) -> dict[str, Any]:
    """The JSON form of one vendor's refresh."""
    return {
        "provider": item.provider,
        "read": item.read,
        "changed": [_change(change) for change in item.changed],
        "jumped": [_change(change) for change in item.jumped],
        "missing": [document(row) for row in item.missing],
        "error": item.error.to_dict() if item.error else None,
    }


def told(item: Outcome) -> list[str]:
    """What a person must know of one vendor's refresh: every change, and what was not taken."""
    lines = [
        f"{item.provider} {change.row.model} {change.row.item} {condition(change.row)}: "
        f"{'new' if change.before is None else f'{change.before:f}'} -> {change.row.usd:f}"
        for change in item.changed
    ]
    lines += [
        f"{item.provider} {change.row.model} {change.row.item}: {change.before:f} -> "
        f"{change.row.usd:f} is a jump and was not taken; look, then use --allow-jumps"
        for change in item.jumped
    ]
    lines += [
        f"{item.provider} {row.model} {row.item} {condition(row)}: not in the source; kept, of "
        f"{row.source_date}"
        for row in item.missing
    ]
    return lines


def _change(change: Change) -> dict[str, Any]:
    return document(change.row) | {"before": change.before}
