"""The shapes of a cost: counts with their grade, lines with their source, sums with their gaps.

Money is USD as Decimal, never float.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

STALE_DAYS = 90
"""An older price is still used, and says that it is old."""

Grade = Literal["exact", "exact text, assumed frame", "reconstructed", "estimated"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TokenCount(_Frozen):
    """Tokens of one pass over the training file, and over all epochs.

    ``low``/``high`` bound one pass where the count is an estimate; equal where it is exact.
    ``n_epochs`` is the number that the count of all epochs assumes. ``expected`` is the likeliest
    count of one pass; ``frame`` and ``tools`` are its parts outside the texts (special tokens and
    constants; descriptions of tools), None where they were not counted apart. ``validation`` is
    low and high of one pass over the validation file, where there is one.
    """

    low: int
    high: int
    n_epochs: int
    grade: Grade
    counter: str
    expected: int | None = None
    frame: int | None = None
    tools: int | None = None
    validation: tuple[int, int] | None = None

    @property
    def band(self) -> tuple[float, float]:
        """How far ``low`` and ``high`` lie from the expected count, as signed shares of it."""
        expected = (self.low + self.high) / 2 if self.expected is None else self.expected
        if not expected or self.low == self.high:
            return 0.0, 0.0
        return round(self.low / expected - 1, 4), round(self.high / expected - 1, 4)

    @property
    def label(self) -> str:
        """The grade in words, with its band where it is an estimate."""
        low, high = self.band
        return f"{self.grade}, {low:+.1%} to {high:+.1%}" if low or high else self.grade

    @property
    def span(self) -> str:
        """One pass in words."""
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"

    def document(self) -> dict[str, Any]:
        """The JSON form, with what follows from the fields."""
        followed = {"band": self.band, "label": self.label}
        billed = {"billed_low": self.billed_low, "billed_high": self.billed_high}
        return self.model_dump() | followed | billed

    @property
    def billed_low(self) -> int:
        """Tokens over all epochs, lower bound."""
        return self.low * self.n_epochs

    @property
    def billed_high(self) -> int:
        """Tokens over all epochs, upper bound."""
        return self.high * self.n_epochs


class Quantity(_Frozen):
    """What a provider bills for a job, before a price is known: the provider's own rule.

    ``low`` and ``high`` are amounts in the unit that the item is priced in (millions of tokens
    for ``usd_per_1m_tokens``, hours for ``usd_per_hour``...). None means not known.

    ``training``: belongs to the job itself, so that an unknown one leaves the sum unknown.
    ``minimum``: a floor under the training lines before it; what is missing is added.
    ``monthly``: goes on as long as the model is kept or asked; the amount is that of all months.
    ``priced_as``: the bracket or product under which the price list has the model.
    """

    name: str
    item: str
    low: Decimal | None
    high: Decimal | None
    formula: str
    training: bool = True
    minimum: bool = False
    monthly: bool = False
    tier: str | None = None
    region: str | None = None
    priced_as: str | None = None


class CostLine(_Frozen):
    """One priced line: amount times unit price, and where the price comes from.

    ``training`` and ``monthly`` as in :class:`Quantity`.
    """

    name: str
    low: Decimal
    high: Decimal
    formula: str
    unit_price: Decimal
    unit: str
    source: str
    source_date: date | None
    evidence: str
    stale: bool
    training: bool = True
    monthly: bool = False

    @property
    def age(self) -> str:
        """What must be said of the price's age; empty where it is fresh."""
        if self.source_date is None:
            return "date unknown"
        return f"over {STALE_DAYS} days old" if self.stale else ""


class Span(_Frozen):
    """An amount of USD between two bounds, equal where it is exact."""

    low: Decimal
    high: Decimal


class Usd(_Frozen):
    """A sum in USD. Unknown parts are named, never counted as 0.

    ``low`` and ``high`` are None where the training itself has no known price.
    """

    low: Decimal | None
    high: Decimal | None
    lines: tuple[CostLine, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def upfront(self) -> Span | None:
        """What the job itself bills once; None where that is not known."""
        return None if self.low is None else _span(line for line in self.lines if not line.monthly)

    @property
    def running(self) -> Span | None:
        """What goes on billing, over the whole horizon; None where a part of it is not known."""
        return None if self.unknown else _span(line for line in self.lines if line.monthly)

    @property
    def stale(self) -> bool:
        """Whether a price in it is old or of unknown age."""
        return any(line.stale for line in self.lines)


def _span(lines: Iterable[CostLine]) -> Span:
    kept = list(lines)
    return Span(
        low=sum((line.low for line in kept), Decimal(0)),
        high=sum((line.high for line in kept), Decimal(0)),
    )
