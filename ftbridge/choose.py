"""``--provider auto``: the cheapest place that may be used, can do it, and fits the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ftbridge.compare import Comparison, Offer
from ftbridge.cost.table import amount
from ftbridge.errors import (
    BudgetRefused,
    CredentialsError,
    DataError,
    FtbridgeError,
    NotInstalled,
    PolicyRefused,
    Unsupported,
)
from ftbridge.jobs.control import require_allowed
from ftbridge.jobs.plan import Plan

AUTO = "auto"
NOT_READY = (CredentialsError, NotInstalled)
SHOWN = 4
"""Reasons that are told; more of them help nobody."""


class Rejected(NamedTuple):
    """An offer that was cheaper, or as cheap, and why it was not taken."""

    offer: Offer
    error: FtbridgeError

    @property
    def reason(self) -> str:
        """For people; what is so for the whole provider names no model."""
        whole = isinstance(self.error, NOT_READY)
        name = self.offer.provider if whole else f"{self.offer.provider} {self.offer.model}"
        return f"{name}: {self.error.message}"


def cheapest(
    found: Comparison,
    plan_for: Callable[[Offer], Plan],
    bills: Callable[[str], bool],
    *,
    unknown_too: bool,
) -> Plan:
    """The plan of the cheapest offer that could be submitted now, its reason as first warning.

    Args:
        plan_for: makes an offer's plan; raises where its place is not ready.
        bills: whether a provider sends bills.
        unknown_too: offers whose price nobody knows may be taken, after all others.

    Raises:
        DataError: where the data themselves are bad.
        BudgetRefused, PolicyRefused, Unsupported: where none is left, with the reasons.
    """
    rejected: list[Rejected] = []
    not_ready: set[str] = set()
    for offer in _in_turn(found.offers, bills, unknown_too):
        if offer.provider in not_ready:
            continue
        try:
            plan = plan_for(offer)
            require_allowed(plan)
        except DataError as error:
            if error.code != "lossy":
                raise
            rejected.append(Rejected(offer, error))
        except FtbridgeError as error:
            rejected.append(Rejected(offer, error))
            if isinstance(error, NOT_READY):
                not_ready.add(offer.provider)
        else:
            reason = _reason(offer, plan, found, rejected)
            return plan.model_copy(update={"warnings": (reason, *plan.warnings)})
    raise _none(found, rejected)


def _in_turn(
    offers: Sequence[Offer], bills: Callable[[str], bool], unknown_too: bool
) -> Iterator[Offer]:
    """Known prices first, from cheap to dear; then what costs nobody a bill; then, if allowed,
    what may cost anything."""
    usable = [offer for offer in offers if offer.allowed]
    known = [offer for offer in usable if offer.usd.high is not None]
    yield from sorted(known, key=lambda offer: offer.usd.high or 0)
    unknown = [offer for offer in usable if offer.usd.high is None]
    yield from (offer for offer in unknown if not bills(offer.provider))
    if unknown_too:
        yield from (offer for offer in unknown if bills(offer.provider))


def _reason(offer: Offer, plan: Plan, found: Comparison, rejected: Sequence[Rejected]) -> str:
    """Why this one, in one sentence."""
    usable = [other for other in found.offers if other.allowed]
    of = f"of {len(usable)} offers that may be used"
    if plan.usd.high is None:
        known = "an unknown price" if plan.bills else "no bill, at a cost that is not measured yet"
        said = f"auto: {offer.provider} {offer.model} for {known}: none {of} has a known price "
        said += "and could be submitted now"
    else:
        said = f"auto: {offer.provider} {offer.model} for {amount(plan.usd.high)} USD is the "
        said += f"cheapest {of} and could be submitted now"
    later = [other for other in usable[usable.index(offer) + 1 :] if other.usd.high is not None]
    if later:
        said += f"; next {later[0].provider} {later[0].model}, {amount(later[0].usd.high)} USD"
    if rejected:
        said += "; passed over: " + _told(item.reason for item in rejected)
    return said


def _none(found: Comparison, rejected: Sequence[Rejected]) -> FtbridgeError:
    reasons = [item.reason for item in rejected]
    dear = [item for item in found.excluded if "may cost" in item.reason]
    left = [*dear, *(item for item in found.excluded if item not in dear)]
    reasons += [f"{item.provider}: {item.reason}" for item in left]
    message = "no provider is left: " + _told(reasons or ["none does that"])
    hint = "see all of them with `ftbridge compare`"
    errors = [item.error for item in rejected]
    if dear or any(isinstance(error, BudgetRefused) for error in errors):
        return BudgetRefused(message, hint=hint, where="provider")
    if errors and all(isinstance(error, PolicyRefused) for error in errors):
        return PolicyRefused(message, hint=hint, where="provider")
    return Unsupported(message, hint=hint, where="provider", code="none_left")


def _told(reasons: Iterable[str]) -> str:
    kept = list(dict.fromkeys(reason.rstrip(".") for reason in reasons))
    more = f" (and {len(kept) - SHOWN} more)" if len(kept) > SHOWN else ""
    return "; ".join(kept[:SHOWN]) + more


def wishes_of(offer: Offer, wanted: dict[str, Any]) -> dict[str, Any]:
    """The plan's arguments for one offer."""
    adapter = None if offer.adapter == "managed" else offer.adapter
    return wanted | {"provider": offer.provider, "model": offer.model, "adapter": adapter}
