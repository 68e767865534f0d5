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

if TYPE_CHECKING:
    from ftbridge.offers import Comparison, Offer

DRAWN = 7
"""Offers that the chart shows, besides the base model; more lines cannot be told apart."""

STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
td { vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto } svg text { font: 11px system-ui; fill: currentColor }
svg .name { font-size: 12px } svg .grid { stroke: #8884 }
svg .mark { fill: Canvas; stroke-width: 2 }
.old { color: #b35900 } small, .note { color: #777 } details { margin: .2rem 0 }
"""


def page(found: Comparison, heading: str) -> str:
    """The whole HTML document.

    Args:
        heading: what was compared, e.g. the name of the data file.
    """
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(heading)}: what it costs</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(heading)}</h1>",
        f"<p class='note'>Made on {clock.today()}. USD. Unknown is unknown, never 0; a price over "
        "90 days old, or of unknown date, is marked.</p>",
        *_chart(found),
        _table(found.offers),
        *(_details(offer) for offer in found.offers),
        _excluded(found),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _chart(found: Comparison) -> list[str]:
    offers = [offer for offer in found.offers if offer.use and offer.usd.running]
    whole = [offer for offer in offers if offer.usd.upfront and offer.monthly]
    if not whole:
        return ["<p class='note'>No chart: nothing that is known in whole over months "
                "(--months, --calls-per-month).</p>"]  # fmt: skip
    months = whole[0].use.months if whole[0].use else 1
    lines = [_line(offer) for offer in whole[:DRAWN]]
    if found.baseline:
        lines.append(Line(found.baseline.name, Decimal(0), found.baseline.monthly, bold=True))
    left = len(found.offers) - min(len(whole), DRAWN)
    said = [
        "<h2>USD over months</h2>",
        chart(lines, months, "USD spent over months, upper estimates"),
        "<p class='note'>Upper estimates. A circle marks the day from which the tuned model has "
        "cost less than the base model in all.</p>",
    ]
    if left:
        said.append(f"<p class='note'>{left} offers are not drawn: a part of their cost is not "
                    "known, or they are dearer than those shown.</p>")  # fmt: skip
    return said


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
    rows = "".join(_row(offer) for offer in offers)
    numbers = {"training", "a month", "in all", "tokens", "saving a month", "break-even"}
    top = "".join(f"<th{_n(head in numbers)}>{head}</th>" for head in heads)
    return f"<h2>Offers</h2><table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>"


def _row(offer: Offer) -> str:
    roi = offer.roi
    old = " <span class='old'>old price</span>" if offer.usd.stale else ""
    upfront = offer.usd.upfront
    days = roi.break_even_days if roi else None
    saving = roi.saving_monthly if roi else None
    cells = [
        (escape(offer.provider) + ("" if offer.allowed else " <small>price only</small>"), False),
        (escape(offer.model), False),
        (escape(offer.adapter), False),
        (amount(upfront.high if upfront else None) + old, True),
        (_monthly(offer), True),
        (amount(offer.usd.high) + (" + unknown" if offer.usd.unknown and upfront else ""), True),
        (f"{offer.tokens.billed_high:,}<br><small>{escape(offer.tokens.grade)}</small>", True),
        (amount(saving.low) if saving else "-", True),
        (f"day {day(days.high)}" if days else escape(roi.why if roi else "-"), True),
    ]
    return "<tr>" + "".join(f"<td{_n(right)}>{text}</td>" for text, right in cells) + "</tr>"


def _monthly(offer: Offer) -> str:
    if offer.use is None:
        return "-"
    return amount(offer.monthly.high if offer.monthly else None)


def _details(offer: Offer) -> str:
    lines = "".join(
        f"<li>{escape(line.name)}: {amount(line.high)} USD = {escape(line.formula)} "
        f"<small>{escape(line.evidence)}, {escape(line.source)}, {line.source_date or ''}</small>"
        + (f" <span class='old'>{escape(line.age)}</span>" if line.age else "")
        + "</li>"
        for line in offer.usd.lines
    )
    unknown = "".join(f"<li>{escape(name)}: unknown</li>" for name in offer.usd.unknown)
    notes = "".join(f"<li>{escape(note)}</li>" for note in offer.notes)
    name = f"{escape(offer.provider)} {escape(offer.model)}"
    return f"<details><summary>{name}</summary><ul>{lines}{unknown}{notes}</ul></details>"


def _excluded(found: Comparison) -> str:
    if not found.excluded:
        return ""
    items = "".join(
        f"<li><b>{escape(item.provider)}</b>: {escape(item.reason)}</li>" for item in found.excluded
    )
    return f"<h2>Left out</h2><ul>{items}</ul>"


def _n(right: bool) -> str:
    return " class='n'" if right else ""
