"""Vendors whose prices are known while ftbridge has no adapter for them: shown, that is all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from ftbridge.cost.estimate import estimate
from ftbridge.cost.horizon import Horizon
from ftbridge.cost.prices import PriceBook, PriceRow, read
from ftbridge.cost.rented import rented
from ftbridge.cost.sources import RENTAL, price_lists
from ftbridge.cost.tokens import counter_for
from ftbridge.cost.tokens.families import rule_of_family
from ftbridge.cost.tokens.file import count_file
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.offers import Exclusion, Offer, basis
from ftbridge.policy import Destination

if TYPE_CHECKING:
    from ftbridge.compare import Question

MILLION = Decimal(1_000_000)
NO_ADAPTER = "price only: ftbridge has no adapter for it yet"


def listed(
    question: Question, book: PriceBook, horizon: Horizon | None
) -> tuple[list[Offer], list[Exclusion]]:
    """Offers by price lists alone: of training by the token, and of machines by modelled hours;
    and the reasons of the vendors that make none."""
    offers: list[Offer] = []
    left: list[Exclusion] = []
    clouds = dict.fromkeys(row.provider for row in read(RENTAL))
    for vendor in (*price_lists(), *clouds):
        policy = question.clearance.decide(Destination(vendor, "", None, "", leaves=True))
        if not policy.allowed:
            left.append(Exclusion(vendor, f"{policy.message} ({policy.rule})"))
            continue
        rows = [row for row in book.rows if row.provider == vendor]
        found = [
            _offer(question, book, row, horizon) for row in rows if _fits(question, row)
        ] or rented(question, book, rows)
        offers += found
        if not found:
            left.append(Exclusion(vendor, _reason(question, rows)))
    return offers, left


def _fits(question: Question, row: PriceRow) -> bool:
    """Whether the row is the price of training that was asked for."""
    methods = {question.method, "rft"} if question.method == "rl" else {question.method}
    names = " ".join((row.model, *row.models)).lower()
    return (
        row.item == "training_tokens"
        and (row.method is None or row.method in methods)
        and (question.family is None or question.family.lower() in names)
        and (question.region is None or question.region in row.places)
        and (question.adapter is None or row.training_type in (None, question.adapter))
    )


def _offer(question: Question, book: PriceBook, row: PriceRow, horizon: Horizon | None) -> Offer:
    counter = counter_for(rule_of_family(row.model), None)
    epochs = question.hyperparameters.n_epochs
    tokens = count_file(question.dataset, counter).count(epochs or 1)
    use = horizon.use(counter) if horizon else None
    adapter = row.training_type or "managed"
    quantities = [_training(tokens), *(_serving(book, row, use) if use else ())]
    usd = estimate(
        book,
        row.provider,
        row.model,
        str(question.method),
        [line.model_copy(update={"region": question.region}) for line in quantities],
        adapter=adapter,
    )
    notes = [NO_ADAPTER]
    if epochs is None:
        notes.append("n_epochs is left to the vendor; 1 assumed; fix it with --n-epochs")
    if row.note:
        notes.append(row.note)
    return Offer(
        provider=row.provider,
        model=row.model,
        method=str(question.method),
        adapter=adapter,
        usd=usd,
        tokens=tokens,
        basis=basis(tokens, usd),
        notes=tuple(notes),
        allowed=False,
        use=use,
    )


def _training(tokens: TokenCount) -> Quantity:
    return Quantity(
        name="training",
        item="training_tokens",
        low=tokens.billed_low / MILLION,
        high=tokens.billed_high / MILLION,
        formula=f"{tokens.billed_high:,} tokens in {tokens.n_epochs} epochs",
    )


def _serving(book: PriceBook, row: PriceRow, use: Use) -> Sequence[Quantity]:
    """Tokens by the price list, and storage where it has some; how it is hosted is not said."""
    stored = any(r.item == "storage_month" and r.model == row.model for r in book.rows)
    return [*use.tokens(), *(use.storage() if stored else ())]


def _reason(question: Question, rows: Sequence[PriceRow]) -> str:
    rented = [row for row in rows if row.item == "gpu_hour"]
    if rented and not any(row.item == "training_tokens" for row in rows):
        return _by_the_hour(rented)
    what = question.family or f"any model by {question.method}"
    where = f" in {question.region}" if question.region else ""
    return f"{NO_ADAPTER}; its price list has no training of {what}{where}"


def _by_the_hour(rows: Sequence[PriceRow]) -> str:
    cheapest = min(rows, key=lambda row: row.per_amount, default=None)
    price = "at no known price"
    if cheapest is not None:
        price = f"from {cheapest.per_amount.normalize():f} USD: {cheapest.model}"
    return (
        f"rents machines by the hour ({price}); how long a job takes is modelled where --family "
        f"says how large the model is, and a machine holds it; {NO_ADAPTER}"
    )
