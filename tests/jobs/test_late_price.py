"""A price that comes after the create is held to `max_usd`, in a submit and at every later look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

import pytest

from ftbridge.errors import BudgetRefused, VendorError
from ftbridge.jobs import late_price
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.states import State
from ftbridge.provider import Provider, RemoteJob

JOB = RemoteJob("job-1", State.QUEUED, "queued")
DEAR = replace(JOB, estimated_usd=Decimal("12.5"))


@dataclass
class Vendor:
    """Shows the price after some looks; may refuse to cancel, or be unable to."""

    looks: int = 1
    job: RemoteJob = JOB
    price: str | None = "12.5"
    refuses: bool = False
    cancels: bool = True
    calls: list[str] = field(default_factory=list)
    name: str = "vendor"
    poll_seconds: float = 0.0
    patience_seconds: float = 0.0
    absent: dict[str, str] = field(default_factory=lambda: {"cancel": "vendor cannot cancel"})

    def prices_after_create(self, spec: Any) -> bool:
        return self.price is not None

    def supports(self, operation: str) -> bool:
        return self.cancels

    def get(self, remote_id: str) -> RemoteJob:
        self.calls.append("get")
        shown = self.calls.count("get") >= self.looks
        return replace(self.job, estimated_usd=Decimal(self.price or 0)) if shown else self.job

    def cancel(self, remote_id: str) -> RemoteJob:
        self.calls.append("cancel")
        if self.refuses:
            raise VendorError("cannot cancel", status=400)
        self.job = replace(self.job, state=State.RUNNING, stopping=True)
        return self.job


def settle(vendor: Vendor, max_usd: str | None, remote: RemoteJob = JOB) -> RemoteJob:
    plan = Plan.model_construct(max_usd=max_usd, spec=cast(Any, None))
    return late_price.settle(plan, remote, cast(Provider, vendor))


def hold(vendor: Vendor, max_usd: str | None, remote: RemoteJob) -> RemoteJob:
    return late_price.hold(max_usd, remote, cast(Provider, vendor))


def test_a_dear_job_is_cancelled_and_says_why() -> None:
    vendor = Vendor(looks=3)
    seen = settle(vendor, "10")
    assert vendor.calls == ["get", "get", "get", "cancel"] and seen.stopping
    assert seen.error and "12.50 USD" in seen.error["message"]
    with pytest.raises(BudgetRefused) as caught:
        late_price.require_held(seen)
    assert (caught.value.exit_code, caught.value.code) == (5, "over_budget")
    assert "--max-usd" in caught.value.hint


@pytest.mark.parametrize("max_usd", ["12.5", "100"])
def test_one_within_the_limit_goes_on(max_usd: str) -> None:
    vendor = Vendor()
    seen = settle(vendor, max_usd)
    late_price.require_held(seen)
    assert vendor.calls == ["get"] and seen.estimated_usd == Decimal("12.5")


def test_nobody_waits_for_a_price_that_is_not_asked_for_or_never_comes() -> None:
    for vendor, limit in ((Vendor(), None), (Vendor(price=None), "1")):
        assert settle(vendor, limit) == JOB and not vendor.calls


def test_the_wait_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_price, "WAIT_SECONDS", -1.0)
    vendor = Vendor(looks=99)
    assert settle(vendor, "1").error is None and vendor.calls == ["get"]
    ended = replace(JOB, state=State.FAILED)
    assert settle(Vendor(), "1", ended) == ended


def test_a_later_look_cancels_once() -> None:
    vendor = Vendor()
    assert hold(vendor, "10", DEAR).error and vendor.calls == ["cancel"]
    for remote in (replace(DEAR, stopping=True), replace(DEAR, state=State.CANCELLED)):
        assert hold(vendor, "10", remote).error
    for state in (State.SUCCEEDED, State.FAILED):
        assert hold(vendor, "10", replace(DEAR, state=state)).error is None
    assert hold(vendor, None, DEAR) == DEAR
    assert vendor.calls == ["cancel"]


def test_a_refused_cancel_is_one_unless_the_job_is_stopping() -> None:
    with pytest.raises(VendorError):
        hold(Vendor(refuses=True), "10", DEAR)
    stopping = replace(JOB, stopping=True)
    assert hold(Vendor(refuses=True, job=stopping), "10", DEAR).error


def test_where_nothing_can_be_cancelled_a_person_is_told() -> None:
    vendor = Vendor(cancels=False)
    error = hold(vendor, "10", DEAR).error
    assert error and "by hand" in error["hint"] and not vendor.calls
