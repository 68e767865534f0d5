"""Rented machines in a comparison: each vendor's cheapest that holds the model, hours modelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.throughput import Size, fits, hours
from ftbridge.cost.tokens import counter_for
from ftbridge.cost.tokens.families import rule_of_family
from ftbridge.cost.tokens.file import count_file
from ftbridge.cost.types import TokenCount, Usd
from ftbridge.offers import Offer, basis

if TYPE_CHECKING:
    from ftbridge.compare import Question

MODELLED = (
    "hours are modelled, not measured (docs/cost.md); price only: ftbridge rents nothing there"
)
OTHER_USE = frozenset({"Studio-JupyterLab"})
"""Tiers of a price list that are for something else than training."""


def rented(question: Question, book: PriceBook, rows: Sequence[PriceRow]) -> list[Offer]:
    """One vendor's cheapest machine for the family that was asked for; none without its size, for
    preferences and rewards, or where no machine holds it."""
    size = Size.of(question.family or "")
    adapter = str(question.adapter or "lora")
    if size is None or question.method != "sft" or question.wanted:
        return []
    machines = [
        row
        for row in rows
        if row.item == "gpu_hour"
        and row.tier not in OTHER_USE
        and (question.region is None or question.region in row.places)
        and fits(size, adapter, row)
    ]
    if not machines:
        return []
    tokens = _tokens(question)
    priced = [(_priced(book, row, size, adapter, tokens), row) for row in machines]
    usd, row = min(priced, key=lambda pair: pair[0].high or 0)
    return [
        Offer(
            provider=row.provider,
            model=f"{question.family} on {row.model}",
            method=str(question.method),
            adapter=adapter,
            usd=usd,
            tokens=tokens,
            basis=basis(tokens, usd),
            notes=(MODELLED,),
            allowed=False,
        )
    ]


def _priced(book: PriceBook, row: PriceRow, size: Size, adapter: str, tokens: TokenCount) -> Usd:
    line = hours(size, adapter, tokens, row)
    return estimate(
        book,
        row.provider,
        row.model,
        "sft",
        [line.model_copy(update={"tier": row.tier, "region": row.region})],
    )


def _tokens(question: Question) -> TokenCount:
    family = question.family or ""
    counter = counter_for(rule_of_family(family), None)
    epochs = question.hyperparameters.n_epochs or 1
    return count_file(question.dataset, counter).count(epochs)
