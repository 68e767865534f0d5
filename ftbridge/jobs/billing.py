"""What a vendor has billed for a job: its own sum, or tokens or seconds at the planned price."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.ledger.reservations import micro
from ftbridge.jobs.states import State
from ftbridge.provider import RemoteJob

BILLED = (State.SUCCEEDED, State.CANCELLED)
"""Ends that vendors bill: what was cancelled on the way pays for the work that was done (OpenAI,
Azure and Together say so); for a job that failed nobody is charged."""

PER_HOUR = {"usd_per_hour": 3600, "usd_per_second": 1}
"""Units of time in seconds."""


def bill(job: JobRow, remote: RemoteJob) -> int | None:
    """Micro-USD that an ended job has cost; None where the vendor shows nothing to tell it by.

    A rented machine bills its time however the job ends. Else the vendor's own sum goes before its
    tokens, and those before its seconds.
    """
    if remote.billed_seconds is not None and _is_rented(job):
        return _of_seconds(job, remote.billed_seconds)
    if remote.state not in BILLED:
        return None
    if remote.billed_usd is not None:
        return micro(remote.billed_usd)
    if remote.trained_tokens is not None:
        return of_tokens(job, remote.trained_tokens)
    if remote.billed_seconds is not None:
        return _of_seconds(job, remote.billed_seconds)
    return None


def of_tokens(job: JobRow, tokens: int) -> int | None:
    """Micro-USD of so many tokens by the plan's price, its minimum charge included; None where the
    plan has no price by the token."""
    lines = _lines(job)
    for line in lines:
        if line["name"] == "training" and line["unit"] == "usd_per_1m_tokens":
            return micro(max(Decimal(line["unit_price"]) * tokens / 1_000_000, _minimum(lines)))
    return None


def _of_seconds(job: JobRow, seconds: Decimal) -> int | None:
    lines = _lines(job)
    for line in lines:
        if line["name"] == "training" and line["unit"] in PER_HOUR:
            usd = Decimal(line["unit_price"]) * seconds / PER_HOUR[line["unit"]]
            return micro(max(usd, _minimum(lines)))
    return None


def _is_rented(job: JobRow) -> bool:
    """Whether the job runs on a machine that is rented for it."""
    from ftbridge import registry  # providers know the ledger's shapes

    return job.provider in registry.names() and registry.load(job.provider).kind == "compute"


def _minimum(lines: Iterable[dict[str, Any]]) -> Decimal:
    floors = (Decimal(line["unit_price"]) for line in lines if line["name"] == "minimum")
    return max(floors, default=Decimal(0))


def _lines(job: JobRow) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(job.plan)["usd"]["lines"]
    return lines
