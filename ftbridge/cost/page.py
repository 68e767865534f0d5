"""The comparison as one page that needs nothing else: table, chart, sources, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from ftbridge import clock
from ftbridge.cost.chart import Line, chart
from ftbridge.cost.table import amount, day
from ftbridge.cost.use import DAYS_PER_MONTH
from ftbridge.pages import Markup, details, document, paragraph, section, table

if TYPE_CHECKING:
    from ftbridge.offers import Comparison, Offer

DRAWN = 7
"""Offers that the chart shows, besides the base model; more lines cannot be told apart."""

MONTHS_SHOWN = 12
"""Rows of the chart's table at most."""


def page(found: Comparison, heading: str) -> str:
    """The whole HTML document.

    Args:
        heading: what was compared, e.g. the name of the data file.
    """
    return document(
        f"{heading}: what it costs",
        [
            paragraph(
                f"Made on {clock.today()}. USD. Unknown is unknown, never 0; a price over 90 days "
                "old, or of unknown date, is marked.", "note",
            ),
            *_chart(found),
            section("Offers", _table(found.offers)),
            section("What each rests on", *(_details(offer) for offer in found.offers)),
            *_excluded(found),
        ],
    )  # fmt: skip


def _chart(found: Comparison) -> list[str]:
    offers = [offer for offer in found.offers if offer.use and offer.usd.running]
    whole = [offer for offer in offers if offer.usd.upfront and offer.monthly]
    if not whole:
        return [paragraph("No chart: nothing that is known in whole over months "
                          "(--months, --calls-per-month).", "note")]  # fmt: skip
    months = whole[0].use.months if whole[0].use else 1
    lines = [_line(offer) for offer in whole[:DRAWN]]
    if found.baseline:
        lines.append(Line(found.baseline.name, Decimal(0), found.baseline.monthly, bold=True))
    left = len(found.offers) - min(len(whole), DRAWN)
    said = [
        Markup(chart(lines, months, "USD spent over months, upper estimates")),
        _values(lines, months),
        paragraph("Upper estimates. A circle marks the day from which the tuned model has cost "
                  "less than the base model in all.", "note"),
    ]  # fmt: skip
    if left:
        said.append(paragraph(f"{left} offers are not drawn: a part of their cost is not known, "
                              "or they are dearer than those shown.", "note"))  # fmt: skip
    return [section("USD over months", *said)]


def _values(lines: Sequence[Line], months: int) -> str:
    """The chart as a table, some months of it where there are many."""
    every = max(1, -(-months // MONTHS_SHOWN))
    chosen = sorted({*range(0, months + 1, every), months})
    rows = [(month, *(f"{line.at(Decimal(month)):,.2f}" for line in lines)) for month in chosen]
    heads = ("month", *(line.name for line in lines))
    caption = "USD spent by the end of each month"
    return details("the values", table(heads, rows, numbers=range(len(heads)), caption=caption))


def _line(offer: Offer) -> Line:
    upfront, monthly = offer.usd.upfront, offer.monthly
    days = offer.roi.break_even_days if offer.roi else None
    return Line(
        f"{offer.provider} {offer.model.rsplit('/', 1)[-1]}",
        upfront.high if upfront else Decimal(0),
        monthly.high if monthly else Decimal(0),
        mark=days.high / DAYS_PER_MONTH if days else None,
        mark_label=f"day {day(days.high)}" if days else "",
    )


def _table(offers: Sequence[Offer]) -> str:
    heads = ("provider", "model", "adapter", "training", "a month", "in all", "tokens",
             "saving a month", "break-even")  # fmt: skip
    rows = [_row(offer) for offer in offers]
    return table(heads, rows, numbers=range(3, 9), caption="Offers, cheapest first; USD")


def _row(offer: Offer) -> tuple[str, ...]:
    roi = offer.roi
    old = " <span class='old'>old price</span>" if offer.usd.stale else ""
    upfront = offer.usd.upfront
    days = roi.break_even_days if roi else None
    saving = roi.saving_monthly if roi else None
    alone = "" if offer.allowed else " <small>price only</small>"
    return (
        Markup(escape(offer.provider) + alone),
        offer.model,
        offer.adapter,
        Markup(amount(upfront.high if upfront else None) + old),
        _monthly(offer),
        amount(offer.usd.high) + (" + unknown" if offer.usd.unknown and upfront else ""),
        Markup(f"{offer.tokens.billed_high:,}<br><small>{escape(offer.tokens.grade)}</small>"),
        amount(saving.low) if saving else "-",
        f"day {day(days.high)}" if days else (roi.why if roi else "-"),
    )


def _monthly(offer: Offer) -> str:
    if offer.use is None:
        return "-"
    return amount(offer.monthly.high if offer.monthly else None)


def _details(offer: Offer) -> str:
    lines = [
        (line.name, amount(line.high), line.formula, f"{line.evidence}, {line.source}",
         line.source_date, Markup(f"<span class='old'>{escape(line.age)}</span>"))
        for line in offer.usd.lines
    ]  # fmt: skip
    lines += [(name, "unknown", "", "", None, Markup("")) for name in offer.usd.unknown]
    name = f"{offer.provider} {offer.model} {offer.adapter}"
    heads = ("part", "USD", "formula", "source", "of", "age")
    return details(
        name,
        table(heads, lines, numbers=(1,), caption=name),
        *(paragraph(note, "note") for note in offer.notes),
    )


def _excluded(found: Comparison) -> list[str]:
    if not found.excluded:
        return []
    rows = [(item.provider, item.reason) for item in found.excluded]
    return [section("Left out", table(("provider", "reason"), rows, caption="Left out"))]
