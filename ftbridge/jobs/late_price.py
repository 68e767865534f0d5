"""A vendor's own price that it shows only once the job is made: ``max_usd`` holds for it too.

A submit waits a moment for it before the job is adopted, and every later look checks it again. A
job that would cost more than the person allowed is cancelled, with the reason as its error.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ftbridge import clock
from ftbridge.errors import BudgetRefused, VendorError
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.retry import patiently
from ftbridge.jobs.states import FINAL, State
from ftbridge.provider import Provider, RemoteJob

WAIT_SECONDS = 30.0
"""How long a submit waits for the price; a vendor that needs longer is caught by a later look."""
LOOK_SECONDS = 2.0
CODE = "over_budget"


def settle(plan: Plan, remote: RemoteJob, provider: Provider) -> RemoteJob:
    """The job with its price as far as that is known, held to the plan's ``max_usd``.

    It has the error :data:`CODE` where it was cancelled for that.
    """
    if plan.max_usd is None or not provider.prices_after_create(plan.spec):
        return remote
    deadline = clock.monotonic() + WAIT_SECONDS
    while remote.estimated_usd is None and remote.state not in FINAL:
        remote = patiently(provider, provider.get, remote.id)
        if remote.estimated_usd is not None or clock.monotonic() > deadline:
            break
        clock.sleep(min(LOOK_SECONDS, provider.poll_seconds))
    return hold(plan.max_usd, remote, provider)


def hold(max_usd: str | None, remote: RemoteJob, provider: Provider) -> RemoteJob:
    """Cancel a job whose price passes the limit, once; the job with the reason in ``error``.

    What is compared is the vendor's price of the job itself; hosting is no part of it.
    """
    asked = remote.estimated_usd
    ended = (State.SUCCEEDED, State.FAILED)
    if max_usd is None or asked is None or asked <= Decimal(max_usd) or remote.state in ended:
        return remote
    error = BudgetRefused(
        f"{provider.name} asks {asked.quantize(Decimal('0.01'))} USD for the job; the limit is "
        f"{max_usd}",
        hint="it was cancelled; raise --max-usd and submit with --again, or train on less",
        where="max_usd",
        code=CODE,
    )
    if remote.state is not State.CANCELLED and not remote.stopping:
        if provider.supports("cancel"):
            remote = _cancelled(remote, provider)
        else:
            error.hint = f"{provider.absent['cancel']}; stop it there by hand"
    return replace(remote, error=error.to_dict())


def require_held(remote: RemoteJob) -> None:
    """Raise BudgetRefused where the job was cancelled for its price."""
    error = remote.error or {}
    if error.get("code") == CODE:
        raise BudgetRefused(
            error["message"], hint=error["hint"], where=error["where"], code=error["code"]
        )


def _cancelled(remote: RemoteJob, provider: Provider) -> RemoteJob:
    try:
        return patiently(provider, provider.cancel, remote.id)
    except VendorError:
        seen = patiently(provider, provider.get, remote.id)
        if seen.state in FINAL or seen.stopping:
            return seen
        raise
