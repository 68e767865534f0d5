"""A tuned model in use: how long, how often and how long its calls are, and what that bills.

A month is 30 days, 720 hours, as in Microsoft's worked example of a month's hosting
(learn.microsoft.com azure/foundry/openai/how-to/fine-tuning-cost-management, 2026-02-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ftbridge.cost.types import Quantity

DAYS_PER_MONTH = 30
HOURS_PER_MONTH = 24 * DAYS_PER_MONTH
MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Use:
    """A horizon of whole months. ``input_tokens`` and ``output_tokens`` are those of one call;
    ``measured`` says where they come from."""

    months: int
    calls_per_month: int
    input_tokens: Decimal
    output_tokens: Decimal
    measured: str = "given"

    @property
    def days(self) -> int:
        """Days of the whole horizon."""
        return self.months * DAYS_PER_MONTH

    @property
    def calls(self) -> int:
        """Calls over the whole horizon."""
        return self.months * self.calls_per_month

    def tokens(
        self, *, tier: str | None = None, region: str | None = None, priced_as: str | None = None
    ) -> list[Quantity]:
        """Input and output tokens of all calls, billed by the token."""
        sides = (("input", self.input_tokens), ("output", self.output_tokens))
        return [
            Quantity(
                name=f"inference_{side}",
                item=f"inference_{side}",
                low=self.calls * amount / MILLION,
                high=self.calls * amount / MILLION,
                formula=f"{self.calls:,} calls x {shown(amount)} tokens ({self.measured})",
                training=False,
                monthly=True,
                tier=tier,
                region=region,
                priced_as=priced_as,
            )
            for side, amount in sides
        ]

    def hosting(self, hour: Sequence[Quantity]) -> list[Quantity]:
        """What one hour of a deployment bills, for every hour of the horizon."""
        hours = Decimal(self.months * HOURS_PER_MONTH)
        return [
            line.model_copy(
                update={
                    "low": None if line.low is None else line.low * hours,
                    "high": None if line.high is None else line.high * hours,
                    "formula": f"{self.months} months x {HOURS_PER_MONTH} hours"
                    + ("" if line.low is not None else f": {line.formula}"),
                    "training": False,
                    "monthly": True,
                }
            )
            for line in hour
        ]

    def storage(self) -> list[Quantity]:
        """A tuned model kept for every month of the horizon."""
        amount = Decimal(self.months)
        return [
            Quantity(
                name="storage",
                item="storage_month",
                low=amount,
                high=amount,
                formula=f"1 model x {self.months} months",
                training=False,
                monthly=True,
            )
        ]


def shown(amount: Decimal) -> str:
    """A number of tokens for people: whole ones without a point."""
    whole = amount.to_integral_value()
    return f"{whole:,}" if whole == amount else f"{amount:,.1f}"
