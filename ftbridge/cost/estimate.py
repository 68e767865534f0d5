"""Pricing what a provider says it bills. Formula: amount x unit price, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ftbridge import clock
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.types import CostLine, Quantity, Usd

MICRO = Decimal("0.000001")
"""Lines are rounded to a millionth of a USD, so that sums equal their parts."""


def estimate(
    book: PriceBook,
    provider: str,
    model: str,
    method: str,
    quantities: Sequence[Quantity],
    *,
    adapter: str | None = None,
    quote: Decimal | None = None,
) -> Usd:
    """Sum the quantities that have a price; name those that have none.

    ``low`` and ``high`` are None where a quantity that belongs to the training is unknown.

    Args:
        adapter: lora, qlora or full, where the price depends on it.
        quote: the vendor's own price of the job in USD; it takes the place of the training lines.
    """
    lines: list[CostLine] = [] if quote is None else [quoted(provider, quote)]
    unknown: list[str] = []
    training_known = True
    for quantity in quantities:
        if quote is not None and quantity.training:
            continue
        row = _row(book, provider, model, method, adapter, quantity)
        if row is None or quantity.low is None or quantity.high is None:
            unknown.append(quantity.name)
            training_known = training_known and not quantity.training
        elif quantity.minimum:
            lines.append(_floor(quantity, row, lines))
        else:
            amount = (quantity.low * row.per_amount, quantity.high * row.per_amount)
            lines.append(_line(quantity, *amount, row))
    low = sum((line.low for line in lines), Decimal(0)) if training_known else None
    high = sum((line.high for line in lines), Decimal(0)) if training_known else None
    return Usd(low=low, high=high, lines=tuple(lines), unknown=tuple(unknown))


def _row(
    book: PriceBook, provider: str, model: str, method: str, adapter: str | None, wanted: Quantity
) -> PriceRow | None:
    return book.find(
        provider,
        model,
        wanted.item,
        method=method,
        tier=wanted.tier,
        region=wanted.region,
        adapter=adapter,
        priced_as=wanted.priced_as,
    )


def quoted(provider: str, usd: Decimal) -> CostLine:
    """The line of a vendor's own price for this very job."""
    amount = usd.quantize(MICRO)
    return CostLine(
        name="training",
        low=amount,
        high=amount,
        formula=f"{provider}'s own price for this job",
        unit_price=usd,
        unit="usd_per_job",
        source=f"live quote of {provider}",
        source_date=clock.today(),
        evidence="quote",
        stale=False,
    )


def _floor(quantity: Quantity, row: PriceRow, lines: Sequence[CostLine]) -> CostLine:
    """What is missing to the minimum charge; 0 where the lines before it reach it."""
    low = max(row.usd - sum((line.low for line in lines), Decimal(0)), Decimal(0))
    high = max(row.usd - sum((line.high for line in lines), Decimal(0)), Decimal(0))
    return _line(quantity, low, high, row)


def _line(quantity: Quantity, low: Decimal, high: Decimal, row: PriceRow) -> CostLine:
    return CostLine(
        name=quantity.name,
        low=low.quantize(MICRO),
        high=high.quantize(MICRO),
        formula=f"{quantity.formula} x {row.usd} {row.unit}",
        unit_price=row.usd,
        unit=row.unit,
        source=row.source,
        source_date=row.source_date,
        evidence=row.evidence,
        stale=row.stale,
        training=quantity.training,
        monthly=quantity.monthly,
    )
