"""From a dataset and wishes to a plan: one pass over the data, nothing sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from ftbridge import clock
from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.tokens import counter_for, rule_for
from ftbridge.cost.types import TokenCount, Usd
from ftbridge.dataset import Dataset
from ftbridge.errors import (
    BudgetRefused,
    FtbridgeError,
    LossError,
    ServiceClosed,
)
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.graded import require_graded
from ftbridge.jobs.payload import Converted, data_ref, require_kind, survey
from ftbridge.jobs.plan import Loss, Payload, Plan, Refusal, Setting
from ftbridge.jobs.spec import JobSpec
from ftbridge.provider import Provider

SHOWN_LINES = 10


@dataclass(frozen=True)
class Limits:
    """What the person allows: money in USD, losses, a training price nobody knows."""

    max_usd: Decimal | None = None
    allow_lossy: bool = False
    allow_unknown_cost: bool = False


def make_plan(
    provider: Provider,
    spec: JobSpec,
    datasets: tuple[Dataset, Dataset | None],
    book: PriceBook,
    limits: Limits,
    attempt: int = 1,
    clearance: Clearance | None = None,
) -> Plan:
    """Work out everything that a submit would do.

    A plan that may not be submitted is returned with its ``refusal``; the most useful reason
    comes first: policy, data, losses, closing dates, budget.

    Args:
        clearance: label and policy of the data; found for the spec's files if left out.

    Raises:
        DataError, UsageError, Unsupported: where no plan can be made at all.
        PolicyRefused: instead of these, where the policy forbids it anyway.
    """
    clearance = clearance or Clearance.of_spec(spec)
    spec = spec.model_copy(update={"privacy": clearance.label.privacy})
    try:
        return _plan(provider, spec, datasets, book, limits, attempt, clearance)
    except FtbridgeError:
        clearance.decide(provider.destination).require()
        raise


def _plan(
    provider: Provider,
    spec: JobSpec,
    datasets: tuple[Dataset, Dataset | None],
    book: PriceBook,
    limits: Limits,
    attempt: int,
    clearance: Clearance,
) -> Plan:
    provider = provider.suited(spec)
    spec, training, validation = _surveyed(provider, spec, datasets)
    tokens, assumed = count_epochs(provider, spec, training)
    if validation:
        held_out = (validation.tokens.low, validation.tokens.high)
        tokens = tokens.model_copy(update={"validation": held_out})
    billed, adapter = provider.billing(spec, tokens), str(spec.adapter)
    usd = estimate(book, provider.name, spec.model, spec.method, billed, adapter=adapter)
    losses = tuple(
        Loss(code=code, count=len(lines), lines=tuple(lines[:SHOWN_LINES]))
        for code, lines in sorted(training.losses.items())
    )
    key = spec.key(provider.account, attempt)
    require_policy = partial(clearance.require, provider.destination, datasets)
    return Plan(
        spec=spec,
        account=provider.account,
        region=provider.region,
        endpoint=provider.endpoint,
        attempt=attempt,
        key=key,
        payload=provider.request(
            spec, "<training file>", "<validation file>" if validation else None, key
        ),
        settings={
            name: Setting(value=setting.value, origin=setting.origin)
            for name, setting in provider.settings(spec).items()
        },
        training=_payload(training),
        validation=_payload(validation) if validation else None,
        tokens=tokens,
        usd=usd,
        bills=provider.bills,
        losses=losses,
        warnings=(
            *closing_warnings(provider, spec),
            *assumed,
            *provider.explain(spec),
            *clearance.warnings(provider),
        ),
        label=clearance.label.origin,
        rule=clearance.decide(provider.destination).rule,
        policies=tuple(map(str, clearance.policy.files)),
        retention=clearance.retention() if provider.leaves else None,
        max_usd=None if limits.max_usd is None else str(limits.max_usd),
        refusal=_refusal(provider, spec, losses, usd, limits, require_policy),
    )


def _surveyed(
    provider: Provider, spec: JobSpec, datasets: tuple[Dataset, Dataset | None]
) -> tuple[JobSpec, Converted, Converted | None]:
    """The files seen through the provider's converter, and the spec that names them."""
    for dataset in filter(None, datasets):
        require_kind(dataset, spec.method)
        if spec.grader:
            require_graded(spec.grader, dataset)
    train, held_out = datasets
    rule = rule_for(provider.catalogue(), spec.model)
    counter = counter_for(rule, provider.counter(spec.model))
    training = survey(provider, train, counter)
    validation = survey(provider, held_out, counter) if held_out else None
    read = {"training": data_ref(train, training.examples), "validation": None}
    if held_out and validation:
        read["validation"] = data_ref(held_out, validation.examples)
    return spec.model_copy(update=read), training, validation


def count_epochs(
    provider: Provider, spec: JobSpec, found: Converted
) -> tuple[TokenCount, list[str]]:
    """The token count with the epochs asked for, or those the vendor is assumed to choose."""
    epochs, notes = spec.hyperparameters.n_epochs, []
    if epochs is None:
        epochs, note = provider.epochs(spec)
        notes = [note] if note else []
    return found.tokens.count(epochs), notes


def closing_warnings(provider: Provider, spec: JobSpec) -> list[str]:
    """What a person must know about dates before choosing this provider or model."""
    catalogue, today, notes = provider.catalogue(), clock.today(), []
    closing = catalogue.closing
    if closing and (closing.restricted_from is None or closing.restricted_from <= today):
        notes.append(f"{closing.message} (source: {closing.source}, seen {closing.as_of})")
    row = catalogue.model(spec.model)
    if row and row.ends and (row.ends - today).days <= 365:
        notes.append(
            f"{row.model} and models tuned from it stop answering on {row.ends} "
            f"(source: {row.source}, seen {row.as_of})"
        )
    return notes


def closed(provider: Provider, spec: JobSpec) -> ServiceClosed | None:
    """The refusal where the service or model has closed, by the clock; only a warning at any
    address that is not the vendor's own."""
    catalogue, today = provider.catalogue(), clock.today()
    row = catalogue.model(spec.model)
    ends = [(catalogue.closing, catalogue.title)] if catalogue.closing else []
    for closing, what in ends:
        if closing.closed_after < today and provider.at_vendor:
            return ServiceClosed(
                f"{what} takes no new jobs since {closing.closed_after}",
                hint="choose another with `ftbridge compare`",
                where=closing.source,
            )
    last = min((day for day in (row.closed_after, row.ends) if day), default=None) if row else None
    if row and last and last < today and provider.at_vendor:
        return ServiceClosed(
            f"{row.model} cannot be tuned at {catalogue.title} since {last}",
            hint=f"see `ftbridge models --provider {provider.name}`",
            where=row.source,
        )
    return None


def _payload(found: Converted) -> Payload:
    return Payload(sha256=found.sha256, bytes=found.bytes, examples=found.examples)


def _refusal(
    provider: Provider,
    spec: JobSpec,
    losses: tuple[Loss, ...],
    usd: Usd,
    limits: Limits,
    require_policy: Callable[[], None],
) -> Refusal | None:
    try:
        require_policy()
        if losses and not limits.allow_lossy:
            raise _lossy(provider, losses)
        shut = closed(provider, spec)
        if shut:
            raise shut
        if provider.bills:
            require_budget(usd, limits)
    except FtbridgeError as error:
        return Refusal(**error.to_dict(), exit_code=error.exit_code)
    return None


def _lossy(provider: Provider, losses: tuple[Loss, ...]) -> LossError:
    named = ", ".join(
        f"{loss.code} ({loss.count}, first on line {loss.lines[0]})" for loss in losses
    )
    return LossError(
        f"{provider.name}'s format cannot carry everything: {named}",
        hint="allow it with --allow-lossy, or choose another provider",
    )


def require_budget(usd: Usd, limits: Limits) -> None:
    """Raise BudgetRefused where the job may cost more than allowed, or nobody knows."""
    if usd.high is None:
        if not limits.allow_unknown_cost:
            raise BudgetRefused(
                "what the training costs is not known",
                hint="allow that with --allow-unknown-cost, or set a price in config.toml",
                where="usd.unknown",
                code="unknown_cost",
            )
    elif limits.max_usd is not None and usd.high > limits.max_usd:
        raise BudgetRefused(
            f"it may cost {usd.high:.2f} USD; the limit is {limits.max_usd}",
            hint="raise --max-usd, or train on less",
            where="max_usd",
        )
