"""Rules of billing that several vendors share, as quantities: what is billed, before any price."""

from __future__ import annotations

from decimal import Decimal

from ftbridge.cost.types import Quantity

HUNDREDTH = Decimal("0.01")


def job_minimum() -> Quantity:
    """A minimum charge for a job; to be named right after the training lines."""
    one = Decimal(1)
    return Quantity(
        name="minimum", item="job_minimum", low=one, high=one, minimum=True,
        formula="what is missing to the minimum charge; 1 job",
    )  # fmt: skip


def training_hours(hours: Decimal | None, *, tier: str | None = None) -> Quantity:
    """Training billed by time, rounded to hundredths of an hour.

    Args:
        hours: None where they are only known afterwards.
    """
    amount = None if hours is None else hours.quantize(HUNDREDTH)
    said = "hours of training, known only afterwards" if amount is None else f"{amount} hours"
    return Quantity(
        name="training", item="training_hour", low=amount, high=amount, formula=said, tier=tier
    )


def gpu_hours(hours: Decimal, *, machine: str, tier: str | None = None) -> Quantity:
    """A rented machine for some hours, ``machine`` being the price list's name for it."""
    return Quantity(
        name="training", item="gpu_hour", low=hours, high=hours,
        formula=f"{hours} hours of {machine}", tier=tier, priced_as=machine,
    )  # fmt: skip
