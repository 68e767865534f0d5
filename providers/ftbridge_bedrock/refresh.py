"""Reading Bedrock's customization prices from the AWS Price List bulk files, one a region.

Source: docs.aws.amazon.com awsaccountbilling aboutv2/reading-service-price-list-file-for-services:
``products`` by SKU with their ``usagetype``, ``terms.OnDemand`` with ``pricePerUnit``, and the
``publicationDate`` of the file. No account is needed. The words for units, and the file as it is
today, are unverified.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ftbridge import clock
from ftbridge.cost.prices import PriceRow
from ftbridge.cost.refresh import Fetch
from ftbridge.errors import VendorError

URL = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonBedrock/current/{}/index.json"
SOURCE = "AWS Price List bulk file, AmazonBedrock"
TOKENS = {"1K tokens": 1000, "1M tokens": 1}
UNITS = {
    "usd_per_1m_tokens": TOKENS,
    "usd_per_hour": {"hour": 1, "hours": 1, "hrs": 1},
    "usd_per_model_month": {"month": 1, "custom model/month": 1, "model-month": 1},
}
"""Our unit -> the file's words for it in lower case, and what its price is multiplied by."""


def refresh(known: Sequence[PriceRow], fetch: Fetch) -> Iterator[PriceRow]:
    """One row a usage type that ``prices.toml`` has, or names without a price (``[[meter]]``)."""
    wanted = {row.meter: row for row in (*_named(), *known) if row.meter}
    for region in sorted({row.region for row in wanted.values() if row.region}):
        answer = fetch.json(URL.format(region))
        content = answer.content
        if content["offerCode"] != "AmazonBedrock":
            raise VendorError(f"the price file is that of {content['offerCode']}")
        day = min(_day(content["publicationDate"]), answer.day)
        for sku, product in content["products"].items():
            row = wanted.get(product["attributes"].get("usagetype"))
            if row is not None and row.region == region:
                yield _row(row, _price(content["terms"]["OnDemand"].get(sku, {}), row), day)


def _named() -> list[PriceRow]:
    """Usage types that are known to exist, without a price so far."""
    text = (Path(__file__).parent / "prices.toml").read_text("utf-8")
    unpriced = {"usd": 0, "source": SOURCE, "source_date": None, "evidence": "official"}
    today = clock.today()
    return [
        PriceRow.model_validate(unpriced | {"seen": today, "provider": "bedrock"} | meter)
        for meter in tomllib.loads(text).get("meter", [])
    ]


def _price(terms: Mapping[str, Any], row: PriceRow) -> Decimal:
    """The one price of a product, of its first tier."""
    dimensions = [
        dimension
        for term in terms.values()
        for dimension in term["priceDimensions"].values()
        if dimension.get("beginRange", "0") == "0"
    ]
    if len(dimensions) != 1:
        raise VendorError(f"{row.meter} has {len(dimensions)} prices")
    unit, price = dimensions[0]["unit"].lower(), dimensions[0]["pricePerUnit"]
    units = {name.lower(): factor for name, factor in UNITS[row.unit].items()}
    if unit not in units or list(price) != ["USD"]:
        raise VendorError(f"{row.meter} is priced in {'/'.join(price)} per `{unit}`")
    return Decimal(price["USD"]) * units[unit]


def _row(row: PriceRow, usd: Decimal, day: date) -> PriceRow:
    return row.model_copy(
        update={
            "usd": usd,
            "source": SOURCE,
            "via": None,
            "source_date": day,
            "seen": clock.today(),
            "evidence": "official",
            "origin": "refreshed",
        }
    )


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()
