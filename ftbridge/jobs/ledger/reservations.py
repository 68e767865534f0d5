"""Money that jobs may still cost, held against the month's cap. All inside a caller's transaction,
so that intent and reservation are committed together and two processes cannot both pass."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection, func, insert, select, update

from ftbridge.errors import BudgetRefused
from ftbridge.jobs.ledger.schema import reservations
from ftbridge.jobs.states import State

MICRO = Decimal(1_000_000)


def micro(usd: Decimal | None) -> int | None:
    """USD as whole micro-USD, rounded up."""
    return None if usd is None else int((usd * MICRO).to_integral_value(rounding="ROUND_CEILING"))


def reserve(
    connection: Connection, job_id: str, month: str, wanted: int, cap: Decimal | None
) -> None:
    """Hold ``wanted`` micro-USD of a month for a job.

    Args:
        month: like ``2026-11``.
        cap: the month's limit in USD over all jobs, or None.

    Raises:
        BudgetRefused: where the month's reservations would pass the cap.
    """
    if cap is not None:
        _require_room(connection, month, wanted, cap)
    connection.execute(insert(reservations).values(job_id=job_id, month=month, micro_usd=wanted))


def settle(
    connection: Connection, job_id: str, state: State, billed: int | None, moment: str
) -> None:
    """At a final state: a bill takes the reservation's place, no bill gives it back."""
    held = update(reservations).where(
        reservations.c.job_id == job_id, reservations.c.released_at.is_(None)
    )
    if billed is not None:
        connection.execute(held.values(micro_usd=billed))
    elif state is not State.SUCCEEDED:
        connection.execute(held.values(released_at=moment))


def _require_room(connection: Connection, month: str, wanted: int, cap: Decimal) -> None:
    query = select(func.coalesce(func.sum(reservations.c.micro_usd), 0)).where(
        reservations.c.month == month, reservations.c.released_at.is_(None)
    )
    held = connection.execute(query).scalar_one()
    if held + wanted > int(cap * MICRO):
        raise BudgetRefused(
            f"this job may cost {wanted / 1e6:.2f} USD; {held / 1e6:.2f} of this month's "
            f"{cap} USD are already reserved",
            hint="raise `monthly_usd` under [budget] in config.toml, or wait for next month",
            where="budget.monthly_usd",
        )
