"""What a job costs: its estimate's lines, the bill beside it, and its model over months of use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ftbridge.cost.estimate import estimate
from ftbridge.cost.horizon import Horizon, Wanted
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.reconcile import JobCost
from ftbridge.cost.table import amount
from ftbridge.cost.tokens import counter_for, rule_for
from ftbridge.cost.types import Span, Usd
from ftbridge.dataset import Dataset
from ftbridge.errors import FtbridgeError
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.plan import Plan
from ftbridge.provider import Provider
from ftbridge.report.parts import Chart, Part, Section, Table, Text

MONTHS = 12
VOLUMES = (1_000, 10_000, 100_000)
"""Calls a month that are shown where nobody says how often the model is asked."""


def paid(row: JobRow, plan: Plan, cost: JobCost) -> Section:
    """The plan's price against the bill, and how the price was made."""
    usd = plan.usd
    lines: list[tuple[Any, ...]] = [
        (line.name, span(line.low, line.high), line.formula,
         f"{line.evidence}, {line.source}", line.source_date, line.age)
        for line in usd.lines
    ]  # fmt: skip
    lines += [(name, "unknown", "", "", "", "") for name in usd.unknown]
    tokens = f"{plan.tokens.low:,}" + (
        "" if plan.tokens.low == plan.tokens.high else f" to {plan.tokens.high:,}"
    )
    known = "not known" if row.billed_tokens is None else f"{row.billed_tokens:,}"
    return Section("Cost", [
        Text(_said(plan, cost)),
        Table(("", "USD"), _against(plan, cost), "Plan and price against the bill", (1,)),
        Text(f"Tokens of the file: {tokens} ({plan.tokens.grade}) x {plan.tokens.n_epochs} "
             f"epochs; billed tokens: {known}.", "note"),
        Table(("part", "USD", "formula", "source", "of", "age"), lines, "The estimate's lines",
              (1,)),
    ])  # fmt: skip


def _said(plan: Plan, cost: JobCost) -> str:
    if not plan.bills:
        return "Nobody sends a bill: the machine is ours."
    billed = "not known" if cost.billed is None else f"{amount(cost.billed)} USD"
    return f"Estimate {span(plan.usd.low, plan.usd.high)} USD; billed: {billed}"


def _against(plan: Plan, cost: JobCost) -> list[tuple[str, str]]:
    billed = "not known" if cost.billed is None else amount(cost.billed)
    rows = [
        ("estimate", span(plan.usd.low, plan.usd.high)),
        ("limit that was set", plan.max_usd or "none"),
        ("billed", billed if plan.bills else "nobody sends a bill"),
    ]
    if cost.error is not None:
        inside = "inside the estimate" if cost.inside else "outside the estimate"
        rows.append(("bill against the middle of the estimate", f"{cost.error:+.1%}, {inside}"))
    if cost.token_error is not None:
        rows.append(("billed tokens against counted ones", f"{cost.token_error:+.1%}"))
    if cost.hosting or cost.unpriced_hosting:
        more = " and what has no known price" if cost.unpriced_hosting else ""
        rows.append(("deployments so far", f"{amount(cost.hosting)}{more}"))
    return rows


@dataclass(frozen=True)
class Outlook:
    """How long a model is looked at, and how often it may be asked a month."""

    months: int = MONTHS
    volumes: tuple[int, ...] = VOLUMES


def over_months(
    place: Callable[[], Provider], plan: Plan, cost: JobCost, book: PriceBook, outlook: Outlook
) -> Section:
    """Training and use of the tuned model over months, at several volumes of calls."""
    title = "Cost over months"
    try:
        provider = place()
        used = [(calls, _use(provider, plan, book, outlook.months, calls))
                for calls in outlook.volumes]  # fmt: skip
    except FtbridgeError as error:
        return Section(title, [Text(f"Not known: {error.message}.")])
    once = _once(plan, cost)
    if once is None:
        return Section(title, [Text("Not known: the price of the training is not.")])
    unknown = sorted({name for _, usd in used for name in usd.unknown})
    if unknown:
        said = f"Not known: no price of {', '.join(unknown)} at {plan.spec.provider}."
        return Section(title, [Text(said), Text(_hint(plan), "note")])
    formulas = [line.formula for line in used[-1][1].lines]
    return Section(title, [
        *_drawn(once, used, outlook.months),
        Text(f"Upper estimates: {amount(once)} USD once, then each month's use; at the last volume "
             f"{'; '.join(formulas)}.", "note"),
        Text(_hint(plan), "note"),
    ])  # fmt: skip


def _use(provider: Provider, plan: Plan, book: PriceBook, months: int, calls: int) -> Usd:
    spec = plan.spec
    counter = counter_for(rule_for(provider.catalogue(), spec.model), provider.counter(spec.model))
    use = Horizon(Wanted(months, calls), Dataset(spec.training.path)).use(counter)
    lines = provider.serving(spec, use)
    return estimate(book, spec.provider, spec.model, spec.method, lines, adapter=str(spec.adapter))


def _once(plan: Plan, cost: JobCost) -> Decimal | None:
    """What the training costs: the bill, else the upper estimate."""
    if cost.billed is not None:
        return cost.billed
    upfront: Span | None = plan.usd.upfront
    return upfront.high if upfront else None


def _drawn(once: Decimal, used: Sequence[tuple[int, Usd]], months: int) -> list[Part]:
    series = {}
    for calls, usd in used:
        monthly = usd.running.high / months if usd.running else Decimal(0)
        name = f"{calls:,} calls a month"
        series[name] = [(month, float(once + monthly * month)) for month in range(months + 1)]
    return [Chart("USD spent over months", series, "month")]


def _hint(plan: Plan) -> str:
    return (
        f"Against a base model: `ftbridge compare {plan.spec.training.path} --calls-per-month N "
        "--against PROVIDER:MODEL`."
    )


def span(low: Decimal | None, high: Decimal | None) -> str:
    """A price or a range of prices; unknown is said, and a small one is no 0."""
    first, last = amount(low), amount(high)
    return last if first == last else f"{first} to {last}"
