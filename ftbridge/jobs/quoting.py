"""A plan priced by the vendor itself, where it gives a price before the job is made."""

from __future__ import annotations

from decimal import Decimal

from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.types import Usd
from ftbridge.errors import BudgetRefused, CredentialsError, NetworkError, ProviderError
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.plan import Plan, Refusal
from ftbridge.jobs.planning import Limits, require_budget
from ftbridge.jobs.retry import patiently
from ftbridge.provider import Provider

BUDGET = frozenset({"budget", "unknown_cost"})
"""Refusals that another price may lift."""


def hold(
    plan: Plan, provider: Provider, ledger: Ledger, job_id: str, files: tuple[str, str | None]
) -> None:
    """Ask for the vendor's own price right before a job is made, and hold ``max_usd`` to it.

    A vendor that has no price for it is no obstacle: then the plan's own estimate has been held to
    the limit already, and the job's warnings say so.

    Raises:
        BudgetRefused: the vendor asks more than the person allows; nothing was made.
        NetworkError, CredentialsError: it could not be asked.
    """
    if not provider.supports("quote"):
        return
    spec = plan.spec
    try:
        price = patiently(provider, provider.quote, spec, files)
    except (NetworkError, CredentialsError):
        raise
    except ProviderError as error:
        said = f"{provider.name} gave no price before the job: {error.message}"
        ledger.history.warn(job_id, "no_quote", spec.model, said)
        return
    ledger.quotes.add(provider.name, plan.account, spec.model, spec.training.sha256, price)
    if plan.max_usd is not None and price > Decimal(plan.max_usd):
        raise BudgetRefused(
            f"{provider.name} asks {price} USD for the job; the limit is {plan.max_usd}",
            hint="no job was made; raise --max-usd and submit with --again, or train on less",
            where="max_usd",
            code="over_budget",
        )
    planned = training_high(plan.usd)
    if planned is not None and price > planned:
        said = f"{provider.name} asks {price} USD for the job, not {planned:.2f}"
        ledger.history.warn(job_id, "over_quote", str(price), said)


def training_high(usd: Usd) -> Decimal | None:
    """The upper estimate of the job itself; None where that is not known."""
    if usd.high is None:
        return None
    return sum((line.high for line in usd.lines if line.training), Decimal(0))


def quoted(plan: Plan, provider: Provider, ledger: Ledger, book: PriceBook) -> Plan:
    """Ask the vendor, keep its answer, and put it in the place of the training lines.

    The limit is looked at again: the vendor's price may be over it, or make known what was not.

    Raises:
        Unsupported: where the vendor gives no price before a job.
        ProviderError: where it could not be asked, or does not know yet (a file that is not there).
    """
    spec = plan.spec
    if not provider.supports("quote"):
        raise provider.unsupported("quote")
    provider.require_ready()
    price = patiently(provider, provider.quote, spec)
    ledger.quotes.add(provider.name, plan.account, spec.model, spec.training.sha256, price)
    usd = estimate(
        book,
        provider.name,
        spec.model,
        spec.method,
        provider.billing(spec, plan.tokens),
        adapter=str(spec.adapter),
        quote=price,
    )
    refusal = plan.refusal
    if refusal is None or refusal.code in BUDGET:
        refusal = None
        try:
            limit = None if plan.max_usd is None else Decimal(plan.max_usd)
            require_budget(usd, Limits(max_usd=limit))
        except BudgetRefused as error:
            refusal = Refusal(**error.to_dict(), exit_code=error.exit_code)
    return plan.model_copy(update={"usd": usd, "refusal": refusal})
