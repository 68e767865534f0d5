"""The public price sources, emulated in the shape that their documents give.

Azure: learn.microsoft.com rest/api/cost-management/retail-prices. AWS: docs.aws.amazon.com
awsaccountbilling aboutv2/reading-service-price-list-file-for-services. Hugging Face: what
``list_jobs_hardware`` of huggingface_hub 2.4.0 decodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PAGE = 3


@dataclass
class Sources:
    """What the emulated vendors publish. ``status`` other than 200, or ``body``, is answered to
    everything."""

    meters: list[dict[str, Any]] = field(default_factory=list)
    bedrock: dict[str, dict[str, Any]] = field(default_factory=dict)
    machines: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    next_host: str = "https://prices.azure.com/"
    asked: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """The three vendors under one address."""
        return Starlette(
            routes=[
                Route("/api/retail/prices", self._azure),
                Route("/offers/v1.0/aws/AmazonBedrock/current/{region}/index.json", self._aws),
                Route("/api/jobs/hardware", self._hugging_face),
            ]
        )

    async def _azure(self, request: Request) -> Response:
        query = request.query_params["$filter"]
        assert request.query_params["api-version"] == "2023-01-01-preview"
        self.asked.append(query)
        wanted = re.findall(r"(\w+) eq '((?:[^']|'')*)'", query)
        fields = {name for name, _ in wanted}
        found = [
            item
            for item in self.meters
            if all(
                any(name == n and item.get(n) == value.replace("''", "'") for n, value in wanted)
                for name in fields - {"priceType"}
            )
        ]
        start = int(request.query_params.get("$skip", "0"))
        link = None
        if start + PAGE < len(found):
            link = str(request.url.include_query_params(**{"$skip": start + PAGE}))
        page = found[start : start + PAGE]
        return self._answer(
            {
                "BillingCurrency": "USD",
                "CustomerEntityId": "Default",
                "CustomerEntityType": "Retail",
                "Items": page,
                "NextPageLink": link and link.replace(str(request.base_url), self.next_host),
                "Count": len(page),
            }
        )

    async def _aws(self, request: Request) -> Response:
        region = request.path_params["region"]
        self.asked.append(region)
        return (
            self._answer(self.bedrock[region])
            if region in self.bedrock
            else Response(status_code=404)
        )

    async def _hugging_face(self, request: Request) -> Response:
        return self._answer(self.machines)

    def _answer(self, content: Any) -> Response:
        if self.body is not None:
            return Response(self.body, self.status)
        return JSONResponse(content, self.status)


def meter(name: str, region: str, price: float, unit: str = "1K", **changes: Any) -> dict[str, Any]:
    """One item of the Azure Retail Prices API."""
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": region,
        "location": region,
        "effectiveStartDate": "2026-10-01T00:00:00Z",
        "meterId": "8ae2f0a4",
        "meterName": name,
        "productId": "DZH318Z0",
        "skuId": "DZH318Z0/0001",
        "productName": "Azure OpenAI",
        "skuName": name,
        "serviceName": "Foundry Models",
        "serviceId": "DZH318Z0BP88",
        "serviceFamily": "AI + Machine Learning",
        "unitOfMeasure": unit,
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": name,
    } | changes


def bedrock_file(published: str, prices: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """A bulk file of one region; ``prices``: usage type -> unit and USD."""
    products, terms = {}, {}
    for number, (usage, (unit, usd)) in enumerate(prices.items()):
        sku = f"SKU{number:012d}"
        products[sku] = {
            "sku": sku,
            "productFamily": "Amazon Bedrock",
            "attributes": {"servicecode": "AmazonBedrock", "usagetype": usage, "operation": ""},
        }
        code = f"{sku}.JRTCKXETXF"
        terms[sku] = {
            code: {
                "offerTermCode": "JRTCKXETXF",
                "sku": sku,
                "effectiveDate": "2026-11-01T00:00:00Z",
                "priceDimensions": {
                    f"{code}.6YS6EN2CT7": {
                        "rateCode": f"{code}.6YS6EN2CT7",
                        "description": f"${usd} per {unit}",
                        "beginRange": "0",
                        "endRange": "Inf",
                        "unit": unit,
                        "pricePerUnit": {"USD": usd},
                        "appliesTo": [],
                    }
                },
                "termAttributes": {},
            }
        }
    return {
        "formatVersion": "v1.0",
        "disclaimer": "This pricing list is for informational purposes only.",
        "offerCode": "AmazonBedrock",
        "version": "20261120",
        "publicationDate": published,
        "products": products,
        "terms": {"OnDemand": terms, "Reserved": {}},
        "attributesList": {},
    }


def machine(name: str, pretty: str, micro: int, label: str = "minute") -> dict[str, Any]:
    """One entry of the Hub's hardware list."""
    return {
        "name": name,
        "prettyName": pretty,
        "cpu": "4 vCPU",
        "ram": "15 GB",
        "ephemeralStorage": "50 GB",
        "accelerator": {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB",
                        "manufacturer": "Nvidia"},
        "unitCostMicroUSD": micro,
        "unitCostUSD": micro / 1e6,
        "unitLabel": label,
    }  # fmt: skip
