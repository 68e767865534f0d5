"""The comparison as rows: the columns that can be sorted by, written as CSV and shown in a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from ftbridge.cost.types import Span
from ftbridge.errors import UsageError

if TYPE_CHECKING:
    from ftbridge.offers import Offer

CENT = Decimal("0.01")

Value = str | int | float | Decimal | bool | None


def _upfront(offer: Offer) -> Value:
    return _high(offer.usd.upfront)


def _monthly(offer: Offer) -> Value:
    return _high(offer.monthly)


def _saving(offer: Offer) -> Value:
    saving = offer.roi.saving_monthly if offer.roi else None
    return saving.low if saving else None


def _days(offer: Offer) -> Value:
    return _high(offer.roi.break_even_days if offer.roi else None)


def _high(span: Span | None) -> Decimal | None:
    return span.high if span else None


def _oldest(offer: Offer) -> Value:
    dates = [line.source_date for line in offer.usd.lines]
    return min((day.isoformat() for day in dates if day), default=None)


COLUMNS: dict[str, Callable[[Offer], Value]] = {
    "provider": lambda offer: offer.provider,
    "model": lambda offer: offer.model,
    "method": lambda offer: offer.method,
    "adapter": lambda offer: offer.adapter,
    "allowed": lambda offer: offer.allowed,
    "usd_low": lambda offer: offer.usd.low,
    "usd_high": lambda offer: offer.usd.high,
    "upfront_high": _upfront,
    "monthly_high": _monthly,
    "unknown": lambda offer: " ".join(offer.usd.unknown) or None,
    "saving_monthly": _saving,
    "break_even_days": _days,
    "tokens_low": lambda offer: offer.tokens.billed_low,
    "tokens_high": lambda offer: offer.tokens.billed_high,
    "grade": lambda offer: offer.tokens.grade,
    "oldest_price": _oldest,
    "stale": lambda offer: offer.usd.stale,
    "basis": lambda offer: "; ".join(offer.basis),
    "notes": lambda offer: "; ".join(offer.notes),
}
"""What an offer can be sorted by. Amounts are USD; ``usd_*`` is the sum of all that was asked."""


def cheapest_first(offer: Offer) -> tuple[int, Decimal]:
    """Free is known and comes first; then, where use was asked for, what leaves a part unknown;
    unknown training comes last."""
    if offer.usd.high is None:
        return 2, Decimal(0)
    return int(offer.use is not None and bool(offer.usd.unknown)), offer.usd.high


def ordered(offers: Iterable[Offer], column: str | None) -> list[Offer]:
    """Sorted by a column, upwards, or downwards with a leading ``-``; unknown always last.

    Raises:
        UsageError: for a column that there is not.
    """
    offers = sorted(offers, key=cheapest_first)
    if column is None:
        return offers
    down, name = column.startswith("-"), column.removeprefix("-")
    if name not in COLUMNS:
        raise UsageError(
            f"`{name}` is no column", hint=f"one of: {', '.join(COLUMNS)}", where="sort"
        )
    value = COLUMNS[name]
    known: list[Any] = [offer for offer in offers if value(offer) is not None]
    known.sort(key=value, reverse=down)  # type: ignore[arg-type]
    return [*known, *(offer for offer in offers if value(offer) is None)]


def to_csv(offers: Sequence[Offer]) -> str:
    """One line an offer; unknown is the word, never 0."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for offer in offers:
        writer.writerow([_cell(name, value(offer)) for name, value in COLUMNS.items()])
    return stream.getvalue()


def _cell(name: str, value: Value) -> str:
    if value is None:
        return "unknown" if name.startswith("usd") else ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def amount(value: Decimal | None) -> str:
    """USD to the cent for people; small ones to three digits, so that they are not 0."""
    if value is None:
        return "unknown"
    if value and abs(value) < CENT:
        return f"{value:.2g}"
    return f"{value:,.2f}"


def day(days: Decimal) -> str:
    """The day on which it has paid, the first being 1."""
    return f"{max(days.to_integral_value(ROUND_CEILING), Decimal(1)):,}"
