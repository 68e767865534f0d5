"""Reading the meters of ``prices.toml`` again: the same meter names, by region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from ftbridge import clock
from ftbridge.cost.prices import PriceRow
from ftbridge.cost.refresh import Fetch
from ftbridge.dialects import azure_prices

UNITS = {
    "usd_per_1m_tokens": {"1K": 1000, "1M": 1},
    "usd_per_hour": {"1 Hour": 1, "1/Hour": 1},
}
"""Our unit -> the API's, and what its price is multiplied by."""


def refresh(known: Sequence[PriceRow], fetch: Fetch) -> Iterator[PriceRow]:
    """One row a meter and price, the dearest first; regions at the same price share a row."""
    rows = {row.meter: row for row in reversed(known) if row.meter}
    prices: dict[str, dict[Decimal, list[dict[str, Any]]]] = {}
    days: dict[str, date] = {}
    for item, answer in azure_prices.items(fetch, "meterName", sorted(rows)):
        row = rows.get(item["meterName"])
        if row is None or item.get("tierMinimumUnits"):
            continue
        usd = azure_prices.usd(item, UNITS[row.unit])
        prices.setdefault(item["meterName"], {}).setdefault(usd, []).append(item)
        days[item["meterName"]] = min(answer.day, days.get(item["meterName"], answer.day))
    for meter, found in prices.items():
        for usd in sorted(found, reverse=True):
            regions = sorted({item["armRegionName"] for item in found[usd]})
            effective = max(item["effectiveStartDate"] for item in found[usd])[:10]
            yield rows[meter].model_copy(
                update={
                    "usd": usd,
                    "regions": tuple(regions),
                    "effective": effective,
                    "source": azure_prices.SOURCE,
                    "via": None,
                    "source_date": days[meter],
                    "seen": clock.today(),
                    "evidence": "official",
                    "origin": "refreshed",
                }
            )
