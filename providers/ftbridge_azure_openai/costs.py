"""What Azure bills: training tokens by tier and region, and each hour that a model is deployed.

Sources: learn.microsoft.com azure/foundry/openai/how-to/fine-tuning-cost-management (2026-02-11);
the cap of reinforcement: how-to/reinforcement-fine-tuning (2026-03-19).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ftbridge.cost.types import Quantity
from ftbridge.jobs.spec import Method
from ftbridge_azure_openai.settings import GLOBAL_ONLY, PRICED_AS, TIERS

RFT_CAP_USD = 5000
"""Training and grading of a reinforcement job at which Azure pauses it."""


def training(
    lines: Sequence[Quantity], model: str, tier: str | None, region: str | None
) -> list[Quantity]:
    """The common lines, priced in the tier; only the standard one has prices by region."""
    chosen = tier or ("global" if model in GLOBAL_ONLY else "standard")
    place = {
        "tier": TIERS[chosen],
        "region": region if chosen == "standard" else None,
        "priced_as": PRICED_AS.get(model),
    }
    return [line.model_copy(update=place) for line in lines]


def hosting(model: str, kind: str, hours: int, region: str | None) -> list[Quantity]:
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
            priced_as=PRICED_AS.get(model),
        )
    ]


def warnings(method: Method, tier: str | None, kind: str, region: str | None) -> list[str]:
    """What people should know of these choices."""
    chosen = tier or "standard"
    said = []
    if method is Method.RL:
        said.append(
            f"Azure pauses a reinforcement job at {RFT_CAP_USD:,} USD of training and grading; "
            "`ftbridge resume JOB` lets it go on without any further cap"
        )
    if chosen != "standard":
        said.append(f"training tier {chosen}: data and weights may be copied to another region")
    if chosen == "developer":
        said.append("training tier developer: Azure may pause and resume the job by itself")
    if chosen == "standard" and not region:
        said.append("region not known: the dearest one's price is taken; --option region=NAME")
    if kind == "developer":
        said.append("a developer deployment has no hourly fee and vanishes after 24 hours")
    return said
