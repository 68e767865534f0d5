"""What a data set would cost at every place that can train on it, before choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ftbridge.catalogue import TunableModel
from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.tokens import counter_for, rule_for
from ftbridge.cost.types import TokenCount, Usd
from ftbridge.dataset import Dataset
from ftbridge.errors import FtbridgeError
from ftbridge.graders import Grader
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.payload import Converted, survey
from ftbridge.jobs.planning import closed, closing_warnings, count_epochs
from ftbridge.jobs.spec import DataRef, Hyperparameters, JobSpec, Method
from ftbridge.provider import Provider


@dataclass(frozen=True)
class Offer:
    """One way to train: where, which model, what it costs and on what that figure rests."""

    provider: str
    model: str
    method: str
    adapter: str
    usd: Usd
    tokens: TokenCount
    basis: tuple[str, ...]
    notes: tuple[str, ...]
    allowed: bool


@dataclass(frozen=True)
class Exclusion:
    """A provider, or one of its models, that will not do, and why."""

    provider: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Offers from cheap to dear, those of unknown cost last; and what was left out."""

    offers: tuple[Offer, ...]
    excluded: tuple[Exclusion, ...]


@dataclass(frozen=True)
class Question:
    """What is compared: one method over one data set."""

    dataset: Dataset
    method: Method
    hyperparameters: Hyperparameters
    clearance: Clearance
    family: str | None
    grader: Grader | None = None


def compare(question: Question, providers: Sequence[Provider], book: PriceBook) -> Comparison:
    """Ask every provider's catalogue, converter and prices; nothing is sent.

    Raises:
        DataError: where the data file itself is bad.
    """
    offers: list[Offer] = []
    excluded: list[Exclusion] = []
    for provider in providers:
        found, reasons = _at(question, provider, book)
        offers += found
        excluded += [Exclusion(provider.name, reason) for reason in reasons]
    offers.sort(key=_cheapest_first)
    return Comparison(tuple(offers), tuple(excluded))


def _cheapest_first(offer: Offer) -> tuple[bool, Decimal]:
    """Unknown comes last; free is known, and comes first."""
    high = offer.usd.high
    return (True, Decimal(0)) if high is None else (False, high)


def _at(question: Question, provider: Provider, book: PriceBook) -> tuple[list[Offer], list[str]]:
    policy = question.clearance.decide(provider.destination)
    if not policy.allowed:
        return [], [f"{policy.message} ({policy.rule})"]
    offers, reasons = [], []
    for row in provider.catalogue().models:
        if question.family and question.family not in (row.family, row.model):
            continue
        if question.method not in row.methods:
            reasons.append(f"{row.model}: no {question.method}")
            continue
        try:
            offers.append(_offer(question, provider, row, book))
        except FtbridgeError as error:
            if error.exit_code == 3:
                raise
            named = error.message.startswith(row.model)
            reasons.append(error.message if named else f"{row.model}: {error.message}")
    if not offers and not reasons:
        reasons.append(f"does not tune {question.family}")
    return offers, reasons


def _offer(question: Question, provider: Provider, row: TunableModel, book: PriceBook) -> Offer:
    rule = rule_for(provider.catalogue(), row.model)
    counter = counter_for(rule, provider.counter(row.model), row.model)
    found: Converted = survey(provider, question.dataset, counter)
    spec = JobSpec(
        provider=provider.name,
        model=row.model,
        method=question.method,
        adapter=row.adapters[0],
        hyperparameters=question.hyperparameters,
        grader=question.grader,
        privacy=question.clearance.label.privacy,
        training=DataRef(
            path=str(question.dataset.path),
            sha256="",
            kind=question.dataset.kind,
            examples=found.examples,
            bytes=found.bytes,
        ),
    )
    provider.catalogue().check_hyperparameters(question.method, question.hyperparameters)
    provider.catalogue().check_grader(question.method, question.grader)
    shut = closed(provider, spec)
    if shut:
        raise shut
    tokens, notes = count_epochs(provider, spec, found)
    quantities = provider.billing(spec, tokens)
    usd = estimate(book, provider.name, row.model, spec.method, quantities)
    notes += [f"{q.name}: {q.formula}" for q in quantities if q.low is None]
    notes += closing_warnings(provider, spec)
    if provider.missing():
        notes.append(f"not installed: {provider.install_hint()}")
    if found.losses:
        notes.append(f"would lose: {', '.join(sorted(found.losses))}")
    return Offer(
        provider=provider.name,
        model=row.model,
        method=str(spec.method),
        adapter=str(spec.adapter),
        usd=usd,
        tokens=tokens,
        basis=_basis(tokens, usd),
        notes=tuple(notes),
        allowed=True,
    )


def _basis(tokens: TokenCount, usd: Usd) -> tuple[str, ...]:
    """What each figure rests on: the counter and its grade, each price and its age."""
    lines = [f"tokens {tokens.label} ({tokens.counter})"]
    for line in usd.lines:
        age = ", over 90 days old" if line.stale else ""
        lines.append(f"{line.name}: {line.evidence}, {line.source}, {line.source_date}{age}")
    return (*lines, *(f"{name}: unknown" for name in usd.unknown))
