"""When tuning pays: a tuned model against a base model that does the same work.

    base a month   = calls x (input + longer prompt) x input price + calls x output x output price
    tuned a month  = what the provider says the tuned model bills in use
    saving a month = base a month - tuned a month
    break-even     = training / saving a month

Low and high are kept apart: the later break-even pairs the dearest training with the smallest
saving. Where a part is unknown there is no break-even, and the reason says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from ftbridge.cost.library import TokenPrice, token_price
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.types import Span, Usd
from ftbridge.cost.use import DAYS_PER_MONTH, MILLION, Use, shown
from ftbridge.errors import UsageError

MICRO, HUNDREDTH = Decimal("0.000001"), Decimal("0.01")


@dataclass(frozen=True)
class Baseline:
    """A base model asked for the same work. ``prompt_tokens`` is what its prompt is longer by
    than the tuned model's. Amounts are USD a month."""

    name: str
    price: TokenPrice
    prompt_tokens: Decimal
    input_usd: Decimal
    prompt_usd: Decimal
    output_usd: Decimal

    @property
    def monthly(self) -> Decimal:
        """USD a month."""
        return self.input_usd + self.prompt_usd + self.output_usd


@dataclass(frozen=True)
class Roi:
    """What one offer saves against the baseline. Amounts are USD a month, None where unknown.

    ``pays_from_calls`` is the number of calls a month above which it saves anything at all;
    ``why`` says why there is no break-even.
    """

    against: str
    base_monthly: Decimal
    tuned_monthly: Span | None
    saving_monthly: Span | None
    saving_share: Decimal | None
    prompt_saving_monthly: Decimal
    break_even_days: Span | None
    break_even_calls: Span | None
    pays_from_calls: Decimal | None
    why: str
    accuracy: dict[str, Any] | None = None


def baseline(reference: str, use: Use, prompt_tokens: Decimal, book: PriceBook) -> Baseline:
    """What the base model would cost; the user's own prices for it win over the library.

    Args:
        reference: ``provider:model``, as genai-prices calls them.

    Raises:
        UsageError: where nobody knows its price, or the reference is none.
    """
    provider, colon, model = reference.partition(":")
    if not colon or not provider or not model:
        raise UsageError(
            f"`{reference}` names no base model",
            hint="write it as provider:model, e.g. openai:gpt-4.1",
            where="against",
        )
    whole = use.input_tokens + prompt_tokens
    price = _own(book, provider, model) or token_price(
        provider,
        model,
        int(whole.to_integral_value(ROUND_CEILING)),
        int(use.output_tokens.to_integral_value(ROUND_CEILING)),
    )
    calls = Decimal(use.calls_per_month)
    return Baseline(
        name=f"{provider}:{model}",
        price=price,
        prompt_tokens=prompt_tokens,
        input_usd=(calls * use.input_tokens * price.input / MILLION).quantize(MICRO),
        prompt_usd=(calls * prompt_tokens * price.input / MILLION).quantize(MICRO),
        output_usd=(calls * use.output_tokens * price.output / MILLION).quantize(MICRO),
    )


def roi(usd: Usd, use: Use, base: Baseline, accuracy: dict[str, Any] | None = None) -> Roi:
    """One offer against the baseline."""
    running, upfront = usd.running, usd.upfront
    tuned = running and Span(low=running.low / use.months, high=running.high / use.months)
    saving = tuned and Span(low=base.monthly - tuned.high, high=base.monthly - tuned.low)
    days, why = _break_even(upfront, saving, usd)
    per_day = Decimal(use.calls_per_month) / DAYS_PER_MONTH
    return Roi(
        against=base.name,
        base_monthly=base.monthly,
        tuned_monthly=tuned,
        saving_monthly=saving,
        saving_share=saving.low / base.monthly if saving and base.monthly else None,
        prompt_saving_monthly=base.prompt_usd,
        break_even_days=days,
        break_even_calls=days and Span(low=_up(days.low * per_day), high=_up(days.high * per_day)),
        pays_from_calls=_pays_from(usd, use, base),
        why=why,
        accuracy=accuracy,
    )


def _own(book: PriceBook, provider: str, model: str) -> TokenPrice | None:
    """The user's own price of the base model, where both sides of it are given."""
    own = PriceBook(row for row in book.rows if row.origin == "yours" and row.model == model)
    into = own.find(provider, model, "inference_input", method="")
    out = own.find(provider, model, "inference_output", method="")
    if into is None or out is None:
        return None
    return TokenPrice(provider, model, into.usd, out.usd, into.source)


def _break_even(upfront: Span | None, saving: Span | None, usd: Usd) -> tuple[Span | None, str]:
    if upfront is None or saving is None:
        return None, f"not known: {', '.join(usd.unknown)}"
    if saving.high <= 0:
        return None, "never: it costs as much a month as the base model, or more"
    if saving.low <= 0:
        return None, "not certain: at the upper estimate it saves nothing"
    low = upfront.low / saving.high * DAYS_PER_MONTH
    high = upfront.high / saving.low * DAYS_PER_MONTH
    return Span(low=_hundredth(low), high=_hundredth(high)), ""


def _pays_from(usd: Usd, use: Use, base: Baseline) -> Decimal | None:
    """Calls a month whose saving pays what the model costs while it is idle; None: never."""
    if usd.running is None or use.calls_per_month == 0:
        return None
    lines = [line for line in usd.lines if line.monthly]
    idle = sum((line.high for line in lines if not line.name.startswith("inference")), Decimal(0))
    asked = sum((line.high for line in lines if line.name.startswith("inference")), Decimal(0))
    a_call = base.monthly / use.calls_per_month - asked / use.months / use.calls_per_month
    return _up(idle / use.months / a_call) if a_call > 0 else None


def _hundredth(days: Decimal) -> Decimal:
    return days.quantize(HUNDREDTH, ROUND_CEILING)


def _up(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_CEILING)


def explain(base: Baseline, use: Use) -> list[str]:
    """The baseline's arithmetic in words."""
    price = base.price
    said = [
        f"{base.name} a month: {use.calls_per_month:,} calls x "
        f"({shown(use.input_tokens)} + {shown(base.prompt_tokens)} tokens x "
        f"{price.input.normalize():f} + {shown(use.output_tokens)} tokens x "
        f"{price.output.normalize():f} USD per million) = {base.monthly:.2f} USD "
        f"({price.source}, date unknown)"
    ]
    if base.prompt_tokens:
        said.append(f"the longer prompt is {base.prompt_usd:.2f} USD of that")
    return said
