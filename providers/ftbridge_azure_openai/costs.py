"""What Azure bills: training tokens by tier and region, and each hour that a model is deployed.

Source: learn.microsoft.com azure/foundry/openai/how-to/fine-tuning-cost-management (2026-02-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ftbridge.cost.types import Quantity
from ftbridge_azure_openai.settings import TIERS


def training(lines: Sequence[Quantity], tier: str | None, region: str | None) -> list[Quantity]:
    """The common lines, priced in the tier; only the standard one has prices by region."""
    chosen = tier or "standard"
    place = {"tier": TIERS[chosen], "region": region if chosen == "standard" else None}
    return [line.model_copy(update=place) for line in lines]


def hosting(kind: str, hours: int, region: str | None) -> list[Quantity]:
    """The hourly fee; a developer deployment has none, and no meter either."""
    if kind == "developer":
        return []
    return [
        Quantity(
            name="hosting",
            item="hosting_hour",
            low=Decimal(hours),
            high=Decimal(hours),
            formula=f"{hours} hours deployed (idle or not; --option hosting_hours=N)",
            training=False,
            tier=TIERS[kind],
            region=region,
        )
    ]


def warnings(tier: str | None, kind: str, region: str | None) -> list[str]:
    """What people should know of these choices."""
    chosen = tier or "standard"
    said = []
    if chosen != "standard":
        said.append(f"training tier {chosen}: data and weights may be copied to another region")
    if chosen == "developer":
        said.append("training tier developer: Azure may pause and resume the job by itself")
    if chosen == "standard" and not region:
        said.append("region not known: the dearest one's price is taken; --option region=NAME")
    if kind == "developer":
        said.append("a developer deployment has no hourly fee and vanishes after 24 hours")
    return said
