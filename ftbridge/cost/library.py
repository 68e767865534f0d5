"""Inference prices of base models, from the package ``genai-prices`` instead of a list of ours.

Its data lie in the wheel, so nothing is fetched. It dates no price, so the date stays unknown and
is said to be: only its version tells how old they may be.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from ftbridge import clock
from ftbridge.cost.prices import Fallback, PriceRow
from ftbridge.errors import NotInstalled, UsageError

MILLION = Decimal(1_000_000)
PACKAGE = "genai_prices"
ITEMS = {"inference_input": "input", "inference_output": "output"}
USUAL_CALL = 1000
"""Tokens in and out of a call for which a price without a size is asked: the lowest tier."""


@dataclass(frozen=True)
class TokenPrice:
    """What one call's tokens cost, in USD per million. Long prompts are dearer at some vendors,
    so that the price depends on the size of the call."""

    provider: str
    model: str
    input: Decimal
    output: Decimal
    source: str


def token_price(provider: str, model: str, input_tokens: int, output_tokens: int) -> TokenPrice:
    """The price of a base model for calls of this size.

    Args:
        provider: as genai-prices calls it (``openai``, ``google``, ``anthropic``...).

    Raises:
        NotInstalled: where the package is missing.
        UsageError: where it does not know the provider or model.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise NotInstalled(
            "prices of base models need genai-prices", hint="pip install 'ftbridge[prices]'"
        )
    import genai_prices

    amount_in, amount_out = max(1, input_tokens), max(1, output_tokens)
    usage = genai_prices.Usage(input_tokens=amount_in, output_tokens=amount_out)
    moment = clock.now()
    try:
        found = genai_prices.calc_price(
            usage, model, provider_id=provider, genai_request_timestamp=moment
        )
    except LookupError as error:
        raise UsageError(
            f"genai-prices does not know {provider}:{model}: {error}",
            hint="providers it knows: " + ", ".join(_providers()),
            where="against",
            code="unknown_price",
        ) from None
    urls = found.provider.pricing_urls
    return TokenPrice(
        provider=provider,
        model=str(found.model.id),
        input=_decimal(found.input_price) * MILLION / amount_in,
        output=_decimal(found.output_price) * MILLION / amount_out,
        source=f"PyPI genai-prices {_version()}" + (f", which names {urls[0]}" if urls else ""),
    )


def library(names: Mapping[str, str]) -> Fallback:
    """A fallback for a price book: inference where a vendor charges the base model's price.

    Args:
        names: our provider -> the package's provider.
    """

    def find(provider: str, model: str, item: str) -> PriceRow | None:
        side = ITEMS.get(item)
        if side is None or provider not in names:
            return None
        try:
            price = token_price(names[provider], model, USUAL_CALL, USUAL_CALL)
        except (UsageError, NotInstalled):
            return None
        return PriceRow(
            provider=provider,
            model=model,
            item=item,
            unit="usd_per_1m_tokens",
            usd=price.input if side == "input" else price.output,
            source=price.source,
            source_date=None,
            seen=clock.today(),
            evidence="library",
            note="the base model's price, which tuned models share here",
            origin="library",
        )

    return find


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


@cache
def _version() -> str:
    from importlib.metadata import version

    return version("genai-prices")


@cache
def _providers() -> tuple[str, ...]:
    from genai_prices.data import providers

    return tuple(str(item.id) for item in providers)
