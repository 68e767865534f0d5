"""What a data set would cost at every place that can train on it, before choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

from ftbridge import clock
from ftbridge.catalogue import Catalogue, TunableModel
from ftbridge.cost.against import Against, hold_against
from ftbridge.cost.estimate import estimate
from ftbridge.cost.horizon import Horizon, Wanted
from ftbridge.cost.listed import listed
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.table import ordered
from ftbridge.cost.tokens import BATCH, Counter, Totals, counter_for, rule_for, tallying
from ftbridge.cost.tokens.tally import Known
from ftbridge.cost.types import Quantity, Usd
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import to_json
from ftbridge.dataset.vendor_rules import rules_for
from ftbridge.errors import DataError, FtbridgeError, UsageError
from ftbridge.graders import Grader
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.payload import Converted, survey
from ftbridge.jobs.planning import closed, closing_warnings, count_epochs
from ftbridge.jobs.spec import Adapter, DataRef, Hyperparameters, JobSpec, Method
from ftbridge.offers import Comparison, Exclusion, Offer, basis
from ftbridge.provider import Provider

__all__ = ["Comparison", "Exclusion", "Offer", "Question", "compare"]


@dataclass(frozen=True)
class Question:
    """What is compared: one method over one data set.

    ``wanted`` adds the use of the model over months, ``against`` (with ``wanted`` only) the base
    model that it would replace; ``budget`` leaves out what may cost more, in
    USD; ``region`` what does not run there; ``sort`` is a column of :mod:`ftbridge.cost.table`.
    """

    dataset: Dataset
    method: Method
    hyperparameters: Hyperparameters
    clearance: Clearance
    family: str | None
    grader: Grader | None = None
    adapter: Adapter | None = None
    region: str | None = None
    budget: Decimal | None = None
    wanted: Wanted | None = None
    against: Against | None = None
    sort: str | None = None

    @property
    def horizon(self) -> Horizon | None:
        """The wanted horizon over this data set."""
        return Horizon(self.wanted, self.dataset) if self.wanted else None


def compare(question: Question, providers: Sequence[Provider], book: PriceBook) -> Comparison:
    """Ask every provider's catalogue, converter and prices; nothing is sent.

    Raises:
        DataError: where the data are bad for everybody.
        UsageError: where the sizes of calls are wanted and cannot be measured.
    """
    horizon = question.horizon
    if horizon:
        horizon.use(counter_for(None, None))
    offers: list[Offer] = []
    excluded: list[Exclusion] = []
    bad: DataError | None = None
    for provider in providers:
        place = _Place(question, provider, book, horizon)
        found, reasons = place.offers()
        offers += found
        excluded += [Exclusion(provider.name, reason) for reason in dict.fromkeys(reasons)]
        bad = bad or place.bad
    if bad and not offers:  # no vendor's rule, but the file itself
        raise bad
    found, left_out = listed(question, book, horizon)
    kept, dear = _within(question.budget, [*offers, *found])
    excluded += [*left_out, *dear]
    base = None
    if question.against and horizon:
        kept, base = hold_against(question.against, kept, horizon, providers, book)
    return Comparison(tuple(ordered(kept, question.sort)), tuple(excluded), base)


def _within(budget: Decimal | None, offers: Sequence[Offer]) -> tuple[list[Offer], list[Exclusion]]:
    """What surely costs no more than the budget, and why the others may."""
    if budget is None:
        return list(offers), []
    kept, left = [], []
    for offer in offers:
        high, unknown = offer.usd.high, ", ".join(offer.usd.unknown)
        parts = offer.usd.unknown and (offer.use is not None or high is None)
        if parts:
            why = f"may cost more than {budget} USD: {unknown} is not known"
        elif high is not None and high > budget:
            why = f"may cost {high:.2f} USD, over the budget of {budget}"
        else:
            kept.append(offer)
            continue
        left.append(Exclusion(offer.provider, f"{offer.model}: {why}"))
    return kept, left


class _Place:
    """One provider asked the question."""

    def __init__(
        self, question: Question, provider: Provider, book: PriceBook, horizon: Horizon | None
    ) -> None:
        self.question, self.provider, self.book = question, provider, book
        self.horizon = horizon
        self.bad: DataError | None = None
        self._surveys: dict[str, Converted] = {}

    def offers(self) -> tuple[list[Offer], list[str]]:
        """Its offers, and why it makes no others."""
        question, provider = self.question, self.provider
        if elsewhere := _elsewhere(question.region, provider):
            return [], [elsewhere]
        policy = question.clearance.decide(provider.destination)
        if not policy.allowed:
            return [], [f"{policy.message} ({policy.rule})"]
        offers, reasons = [], []
        for row in provider.catalogue().models:
            if question.family and question.family not in (row.family, row.model):
                continue
            if why := _cannot(question, row):
                reasons.append(f"{row.model}: {why}")
                continue
            try:
                offers.append(self._offer(row))
            except FtbridgeError as error:
                if isinstance(error, DataError):
                    self.bad = self.bad or error
                named = error.message.startswith(row.model)
                whole = named or isinstance(error, DataError)
                reasons.append(error.message if whole else f"{row.model}: {error.message}")
        if not offers and not reasons:
            reasons.append(_why_none(question, provider.catalogue()))
        return offers, reasons

    def _offer(self, row: TunableModel) -> Offer:
        question, provider = self.question, self.provider
        rule = rule_for(provider.catalogue(), row.model)
        counter = counter_for(rule, provider.counter(row.model))
        found = self._survey(counter)
        spec = self._spec(row, found)
        provider.catalogue().check_hyperparameters(question.method, question.hyperparameters)
        provider.catalogue().check_grader(question.method, question.grader)
        shut = closed(provider, spec)
        if shut:
            raise shut
        tokens, notes = count_epochs(provider, spec, found)
        tokens = tokens.model_copy(update={"counter": counter.name})
        use = self.horizon.use(counter) if self.horizon else None
        lines = provider.billing(spec, tokens)
        job = [line for line in lines if line.training]
        usd = self._priced(spec, [*job, *(provider.serving(spec, use) if use else ())])
        notes += [f"{line.name}: {line.formula}" for line in job if line.low is None]
        if use is None:
            notes += _on_top(self._priced(spec, [line for line in lines if not line.training]))
        notes += closing_warnings(provider, spec)
        if use and row.ends and row.ends < clock.today() + timedelta(days=use.days):
            notes.append(f"{row.model} stops answering on {row.ends}, before these months are over")
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
            basis=basis(tokens, usd),
            notes=tuple(notes),
            allowed=True,
            use=use,
        )

    def _priced(self, spec: JobSpec, lines: Sequence[Quantity]) -> Usd:
        region = self.question.region
        placed = [
            line if line.region else line.model_copy(update={"region": region}) for line in lines
        ]
        return estimate(
            self.book, spec.provider, spec.model, spec.method, placed, adapter=str(spec.adapter)
        )

    def _survey(self, counter: Counter) -> Converted:
        """The file as this provider takes it: converted once, and counted once a vocabulary."""
        dataset, known = self.question.dataset, next(iter(self._surveys.values()), None)
        if counter.id not in self._surveys:
            if known is None or self._limited:
                found = survey(self.provider, dataset, counter)
            else:
                tokens = _counted(dataset, counter, self.provider.context.home)
                found = replace(known, tokens=tokens)
            self._surveys[counter.id] = found
        return self._surveys[counter.id]

    @property
    def _limited(self) -> bool:
        """Whether the vendor bounds the tokens of an example, so that each count has to look."""
        rules = rules_for(self.provider.name, self.question.dataset.kind)
        return bool(rules and rules.max_tokens is not None)

    def _spec(self, row: TunableModel, found: Converted) -> JobSpec:
        question = self.question
        return JobSpec(
            provider=self.provider.name,
            model=row.model,
            method=question.method,
            adapter=question.adapter or row.adapters[0],
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


def _counted(dataset: Dataset, counter: Counter, home: Path) -> Totals:
    """The tokens of a file that is good already; without a pass where they are known."""
    with tallying(dataset, counter, home) as tally:
        if not isinstance(tally, Known):
            stream = dataset.examples()
            while some := list(islice(stream, BATCH)):
                examples = [item.example for item in some]
                tally.add(examples, [len(to_json(example)) for example in examples])
        return tally.finish()


def _cannot(question: Question, row: TunableModel) -> str:
    if question.method not in row.methods:
        return f"no {question.method}"
    if question.adapter is not None and question.adapter not in row.adapters:
        return f"no adapter {question.adapter}"
    return ""


def _elsewhere(region: str | None, provider: Provider) -> str:
    """Why a provider is not in the wanted region; empty where it is, or nothing leaves here."""
    if region is None or not provider.leaves:
        return ""
    try:
        there = provider.region
    except UsageError as error:  # no region of that vendor
        return error.message
    return (
        "" if there == region else f"runs in {there or 'no region that is known'}, not in {region}"
    )


def _on_top(usd: Usd) -> list[str]:
    """What a job brings with it that is no part of its training, in words."""
    return [
        *(
            f"not in the sum: {line.name}, {line.high:.2f} USD = {line.formula}"
            for line in usd.lines
        ),
        *(f"not in the sum: {name}, whose price is not known" for name in usd.unknown),
    ]


def _why_none(question: Question, catalogue: Catalogue) -> str:
    if catalogue.nothing:
        return f"{catalogue.nothing.message}; {catalogue.nothing.hint}"
    if catalogue.open_models:
        return "takes any model by its name: ask `ftbridge plan` with --model"
    return f"does not tune {question.family}"
