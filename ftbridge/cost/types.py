"""The shapes of a cost: counts with their grade, lines with their source, sums with their gaps.

Money is USD as Decimal, never float.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

Grade = Literal["exact", "exact text, assumed frame", "reconstructed", "estimated"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TokenCount(_Frozen):
    """Tokens of one pass over the training file, and over all epochs.

    ``low``/``high`` bound one pass where the count is an estimate; equal where it is exact.
    ``n_epochs`` is the number that the count of all epochs assumes.
    """

    low: int
    high: int
    n_epochs: int
    grade: Grade
    counter: str

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

    ``amount`` is in the unit of the price row's ``unit`` (millions of tokens for
    ``usd_per_1m_tokens``, hours for ``usd_per_hour``...). None means not known.
    """

    name: str
    item: str
    low: Decimal | None
    high: Decimal | None
    formula: str
    training: bool = True
    tier: str | None = None
    region: str | None = None


class CostLine(_Frozen):
    """One priced line: amount times unit price, and where the price comes from."""

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


class Usd(_Frozen):
    """A sum in USD. Unknown parts are named, never counted as 0.

    ``low`` and ``high`` are None where the training itself has no known price.
    """

    low: Decimal | None
    high: Decimal | None
    lines: tuple[CostLine, ...] = ()
    unknown: tuple[str, ...] = ()
