"""Reading what virtual machines with GPUs cost, by machine and region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ftbridge import clock
from ftbridge.cost.prices import PriceRow
from ftbridge.cost.refresh import Fetch
from ftbridge.dialects import azure_prices

HOUR = {"1 Hour": 1}
OTHERS = ("Spot", "Low Priority")
"""Words in a meter's name for capacity that may be taken away; it is priced apart."""


def refresh(known: Sequence[PriceRow], fetch: Fetch) -> Iterator[PriceRow]:
    """One row a machine and region: Linux, on demand. What has two prices is left as it was."""
    wanted = {(row.model, row.region): row for row in known}
    prices: dict[tuple[str, str | None], set[Decimal]] = {}
    days = {}
    machines = sorted({row.model for row in known})
    more = "serviceName eq 'Virtual Machines' and priceType eq 'Consumption'"
    for item, answer in azure_prices.items(fetch, "armSkuName", machines, more):
        key = (item["armSkuName"], item["armRegionName"])
        other = any(word in item["meterName"] for word in OTHERS)
        if key in wanted and not other and "Windows" not in item["productName"]:
            prices.setdefault(key, set()).add(azure_prices.usd(item, HOUR))
            days[key] = answer.day
    for key, found in prices.items():
        if len(found) == 1:
            yield wanted[key].model_copy(
                update={
                    "usd": found.pop(),
                    "source": azure_prices.SOURCE,
                    "via": None,
                    "source_date": days[key],
                    "seen": clock.today(),
                    "evidence": "official",
                    "origin": "refreshed",
                }
            )
