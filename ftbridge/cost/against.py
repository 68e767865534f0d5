"""The base model that a tuned one would replace: its price, its longer prompt, its accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftbridge.cost.horizon import Horizon
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.roi import Baseline, baseline, roi
from ftbridge.cost.tokens import Counter, counter_for, rule_for
from ftbridge.cost.tokens.families import rule_of_family
from ftbridge.dataset.types import Chat, Message
from ftbridge.provider import Provider

if TYPE_CHECKING:
    from ftbridge.offers import Offer


@dataclass(frozen=True)
class Against:
    """What the offers are held against.

    ``reference`` is ``provider:model`` as genai-prices calls them; ``prompt`` what the base model
    must be told with every call and the tuned one need not; ``accuracy`` an evaluation's result.
    """

    reference: str
    prompt: str = ""
    accuracy: dict[str, Any] | None = None


def hold_against(
    against: Against,
    offers: Sequence[Offer],
    horizon: Horizon,
    providers: Sequence[Provider],
    book: PriceBook,
) -> tuple[list[Offer], Baseline]:
    """The offers with what each saves, and what the base model costs.

    Raises:
        UsageError: where nobody knows the base model's price. NotInstalled: without genai-prices.
    """
    counter = _counter(against.reference, providers)
    use = horizon.use(counter)
    base = baseline(against.reference, use, _longer_by(against.prompt, counter), book)
    return [
        replace(offer, roi=roi(offer.usd, offer.use, base, against.accuracy))
        if offer.use
        else offer
        for offer in offers
    ], base


def _counter(reference: str, providers: Sequence[Provider]) -> Counter:
    """The base model's own vocabulary, where a provider's catalogue or a family names it."""
    vendor, _, model = reference.partition(":")
    known = next((place for place in providers if place.name == vendor), None)
    rule = rule_for(known.catalogue(), model) if known else rule_of_family(model)
    return counter_for(rule, None)


def _longer_by(prompt: str, counter: Counter) -> Decimal:
    """The tokens that a system message adds to a call, its frame included."""
    if not prompt:
        return Decimal(0)
    user = Message(role="user", content="?")
    pair = [Chat(messages=[Message(role="system", content=prompt), user]), Chat(messages=[user])]
    longer, shorter = counter.count(pair).expected
    return Decimal(longer - shorter)
