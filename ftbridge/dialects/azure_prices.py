"""The Azure Retail Prices API, public and without a key, which several of Azure's services share.

Source: learn.microsoft.com rest/api/cost-management/retail-prices/azure-retail-prices: answers of
``Items``, ``NextPageLink`` and ``Count``; filter values are case-sensitive since
2023-01-01-preview. Asked of an emulator only: unverified against the live service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from ftbridge.cost.refresh import Answer, Fetch
from ftbridge.errors import VendorError

URL = "https://prices.azure.com/api/retail/prices"
VERSION = "2023-01-01-preview"
SOURCE = "Azure Retail Prices API (prices.azure.com/api/retail/prices)"
MANY = 15
"""Alternatives in one filter, so that the address stays short enough."""
PAGES = 200


def items(fetch: Fetch, field: str, values: Sequence[str], more: str = "") -> Iterator[Any]:
    """Every pay-as-you-go price whose ``field`` is one of the values, each with its answer.

    Args:
        more: a further condition, in the filter's own language.

    Yields:
        Pairs of the item as the API gives it, and the answer that it came in.

    Raises:
        VendorError: where prices are not in USD, or the pages have no end.
    """
    for start in range(0, len(values), MANY):
        part = values[start : start + MANY]
        either = " or ".join(f"{field} eq '{quoted(value)}'" for value in part)
        condition = f"({either})" + (f" and {more}" if more else "")
        yield from _pages(fetch, {"api-version": VERSION, "$filter": condition})


def quoted(value: str) -> str:
    """A value inside the quotes of a filter (OData: a quote is doubled)."""
    return value.replace("'", "''")


def usd(item: dict[str, Any], units: dict[str, int]) -> Decimal:
    """The price in the unit of our rows.

    Args:
        units: the API's unit of measure -> what its price is multiplied by.

    Raises:
        VendorError: for a unit that is none of these.
    """
    unit = item["unitOfMeasure"]
    if unit not in units:
        raise VendorError(f"{item['meterName']} is priced in `{unit}`, which is not understood")
    return Decimal(item["retailPrice"]) * units[unit]


def _pages(fetch: Fetch, params: dict[str, str]) -> Iterator[tuple[dict[str, Any], Answer]]:
    answer = fetch.json(URL, params)
    for _ in range(PAGES):
        for item in answer.content["Items"]:
            if item["currencyCode"] != "USD":
                raise VendorError(f"the prices are in {item['currencyCode']}, not USD")
            if item["type"] == "Consumption":
                yield item, answer
        link = answer.content["NextPageLink"]
        if not link:
            return
        if urlsplit(link).netloc != urlsplit(URL).netloc:
            raise VendorError(f"the next page is said to be at {urlsplit(link).netloc}")
        answer = fetch.json(link)
    raise VendorError(f"the Azure Retail Prices API has more than {PAGES} pages")
