"""A plan priced by the vendor itself, where it gives a price before the job is made."""

from __future__ import annotations

from decimal import Decimal

from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook
from ftbridge.errors import BudgetRefused
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.plan import Plan, Refusal
from ftbridge.jobs.planning import Limits, require_budget
from ftbridge.jobs.retry import patiently
from ftbridge.provider import Provider

BUDGET = frozenset({"budget", "unknown_cost"})
"""Refusals that another price may lift."""


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
