"""Pricing what a provider says it bills. Formula: amount x unit price, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.types import CostLine, Quantity, Usd

CENT = Decimal("0.000001")


def estimate(
    book: PriceBook, provider: str, model: str, method: str, quantities: Sequence[Quantity]
) -> Usd:
    """Sum the quantities that have a price; name those that have none.

    ``low`` and ``high`` are None where a quantity that belongs to the training is unknown.
    """
    lines: list[CostLine] = []
    unknown: list[str] = []
    training_known = True
    for quantity in quantities:
        row = book.find(
            provider,
            model,
            quantity.item,
            method=method,
            tier=quantity.tier,
            region=quantity.region,
        )
        if row is None or quantity.low is None or quantity.high is None:
            unknown.append(quantity.name)
            training_known = training_known and not quantity.training
        else:
            lines.append(_line(quantity, quantity.low, quantity.high, row))
    low = sum((line.low for line in lines), Decimal(0)) if training_known else None
    high = sum((line.high for line in lines), Decimal(0)) if training_known else None
    return Usd(low=low, high=high, lines=tuple(lines), unknown=tuple(unknown))


def _line(quantity: Quantity, low: Decimal, high: Decimal, row: PriceRow) -> CostLine:
    return CostLine(
        name=quantity.name,
        low=(low * row.usd).quantize(CENT),
        high=(high * row.usd).quantize(CENT),
        formula=f"{quantity.formula} x {row.usd} {row.unit}",
        unit_price=row.usd,
        unit=row.unit,
        source=row.source,
        source_date=row.source_date,
        evidence=row.evidence,
        stale=row.stale,
    )
