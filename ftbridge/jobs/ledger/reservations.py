"""Money that jobs may still cost, held against the month's cap. All inside a caller's transaction,
so that intent and reservation are committed together and two processes cannot both pass."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection, func, insert, literal, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ftbridge.errors import BudgetRefused
from ftbridge.jobs.ledger.schema import jobs, reservations
from ftbridge.jobs.states import State

MICRO = Decimal(1_000_000)


def micro(usd: Decimal | None) -> int | None:
    """USD as whole micro-USD, rounded up."""
    return None if usd is None else int((usd * MICRO).to_integral_value(rounding="ROUND_CEILING"))


def reserve(
    connection: Connection, job_id: str, month: str, wanted: int | None, cap: Decimal | None
) -> None:
    """Hold ``wanted`` micro-USD of a month for a job; None: no bound is known, nothing is held.

    Args:
        month: like ``2026-11``.
        cap: the month's limit in USD over all jobs, or None.

    Raises:
        BudgetRefused: where the month's reservations would pass the cap, or where there is a
            cap and no bound.
    """
    if wanted is None:
        if cap is not None:
            raise BudgetRefused(
                f"what this job costs is not known, and {cap} USD are all that this month may cost",
                hint="say with --max-usd how much of them to hold for it",
                where="budget.monthly_usd",
                code="unknown_cost",
            )
        return
    if cap is not None:
        _require_room(connection, month, wanted, cap)
    connection.execute(insert(reservations).values(job_id=job_id, month=month, micro_usd=wanted))


def settle(
    connection: Connection, job_id: str, state: State, billed: int | None, moment: str
) -> None:
    """At a final state: a bill takes the reservation's place, no bill gives it back.

    A job of which no bound was known has no reservation until its bill comes.
    """
    if billed is not None:
        _bill(connection, job_id, billed)
    elif state is not State.SUCCEEDED:
        held = reservations.c.job_id == job_id, reservations.c.released_at.is_(None)
        connection.execute(update(reservations).where(*held).values(released_at=moment))


def _bill(connection: Connection, job_id: str, billed: int) -> None:
    """Put what was billed, in micro-USD, to the month that the job was made in."""
    made = select(jobs.c.id, func.substr(jobs.c.created_at, 1, 7), literal(billed))
    statement = sqlite_insert(reservations).from_select(
        ["job_id", "month", "micro_usd"], made.where(jobs.c.id == job_id)
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=["job_id"], set_={"micro_usd": billed})
    )


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
