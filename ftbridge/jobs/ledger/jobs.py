"""Jobs, their steps, their leases and the money reserved for them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, desc, func, insert, select, update

from ftbridge import clock
from ftbridge.errors import BudgetRefused, UsageError
from ftbridge.jobs import leases
from ftbridge.jobs.ledger.database import Database, values
from ftbridge.jobs.ledger.schema import job_tags, jobs, reservations, steps
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.states import FINAL, State, is_legal

MICRO = Decimal(1_000_000)


@dataclass(frozen=True)
class JobRow:
    """A job as the ledger knows it."""

    id: str
    key: str
    base_key: str
    attempt: int
    parent_job: str | None
    provider: str
    account: str
    region: str | None
    model: str
    method: str
    adapter: str
    privacy: str
    spec: str
    plan: str
    state: State
    raw_state: str | None
    stopping: bool
    remote_id: str | None
    result_model: str | None
    error: dict[str, Any] | None
    progress: float | None
    estimate_low_micro: int | None
    estimate_high_micro: int | None
    billed_tokens: int | None
    billed_micro: int | None
    created_at: str
    updated_at: str
    finished_at: str | None

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL


_COLUMNS = [jobs.c[item.name] for item in fields(JobRow)]


def _row(record: Any) -> JobRow:
    data = values(record)
    data["state"] = State(data["state"])
    data["error"] = json.loads(data["error"]) if data["error"] else None
    return JobRow(**data)


class Jobs:
    """The tables jobs, job_tags, steps and reservations."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # -- intent ------------------------------------------------------------------------------

    def intend(
        self, plan: Plan, base_key: str, cap: Decimal | None, step_names: Sequence[str]
    ) -> str:
        """Write a job's intent, its steps and its reservation in one transaction.

        Args:
            cap: the monthly limit in USD over all jobs, or None.

        Returns:
            The new job's id, or that of the job that holds this key already.

        Raises:
            BudgetRefused: where the month's reservations would pass the cap.
        """
        job_id = "job_" + secrets.token_hex(6)
        moment = clock.stamp()
        with self._db.write() as connection:
            held = connection.execute(select(jobs.c.id).where(jobs.c.key == plan.key)).scalar()
            if held:
                return str(held)
            high = _micro(plan.usd.high) if plan.bills else 0
            if cap is not None:
                _require_room(connection, moment[:7], high or 0, cap)
            connection.execute(insert(jobs).values(_intent(plan, base_key, job_id, moment)))
            for name, value in plan.spec.tags.items():
                connection.execute(insert(job_tags).values(job_id=job_id, name=name, value=value))
            connection.execute(
                insert(steps),
                [{"job_id": job_id, "name": name, "state": "pending"} for name in step_names],
            )
            connection.execute(
                insert(reservations).values(job_id=job_id, month=moment[:7], micro_usd=high or 0)
            )
        return job_id

    # -- reading -----------------------------------------------------------------------------

    def get(self, reference: str) -> JobRow:
        """A job by its id or an unambiguous beginning of it.

        Raises:
            UsageError: where there is none, or several.
        """
        query = select(*_COLUMNS).where(jobs.c.id.startswith(reference, autoescape=True)).limit(2)
        with self._db.read() as connection:
            found = connection.execute(query).all()
        if len(found) == 1:
            return _row(found[0])
        problem = "several jobs begin with" if found else "no job is called"
        raise UsageError(
            f"{problem} `{reference}`",
            hint="see `ftbridge jobs`",
            where="job",
            code="unknown_job",
        )

    def latest(self, base_key: str) -> JobRow | None:
        """The newest attempt of a plan."""
        query = (
            select(*_COLUMNS)
            .where(jobs.c.base_key == base_key)
            .order_by(desc(jobs.c.attempt))
            .limit(1)
        )
        return self._first(query)

    def list(
        self,
        *,
        limit: int | None = None,
        provider: str | None = None,
        states: Sequence[State] = (),
        tag: tuple[str, str] | None = None,
        since: str | None = None,
    ) -> list[JobRow]:
        """Jobs, newest first."""
        query = select(*_COLUMNS).order_by(desc(jobs.c.created_at), desc(jobs.c.id))
        if provider:
            query = query.where(jobs.c.provider == provider)
        if states:
            query = query.where(jobs.c.state.in_([str(state) for state in states]))
        if since:
            query = query.where(jobs.c.created_at >= since)
        if tag:
            query = query.join(job_tags).where(
                and_(job_tags.c.name == tag[0], job_tags.c.value == tag[1])
            )
        if limit is not None:
            query = query.limit(limit)
        with self._db.read() as connection:
            return [_row(record) for record in connection.execute(query)]

    def _first(self, query: Select[Any]) -> JobRow | None:
        with self._db.read() as connection:
            record = connection.execute(query).first()
        return _row(record) if record else None

    # -- moving on ---------------------------------------------------------------------------

    def move(self, job_id: str, state: State, **columns: Any) -> JobRow:
        """Set the state and any other columns; an illegal transition leaves the state alone.

        A final state releases what the job had reserved beyond its bill.
        """
        if "error" in columns and columns["error"] is not None:
            columns["error"] = json.dumps(columns["error"])
        moment = clock.stamp()
        with self._db.write() as connection:
            query = select(jobs.c.state).where(jobs.c.id == job_id)
            before = State(connection.execute(query).scalar_one())
            if is_legal(before, state):
                columns["state"] = str(state)
                if state in FINAL and before not in FINAL:
                    columns.setdefault("finished_at", moment)
            connection.execute(
                update(jobs).where(jobs.c.id == job_id).values(updated_at=moment, **columns)
            )
            if state in (State.FAILED, State.CANCELLED):
                connection.execute(
                    update(reservations)
                    .where(reservations.c.job_id == job_id, reservations.c.released_at.is_(None))
                    .values(released_at=moment)
                )
        return self.get(job_id)

    # -- steps -------------------------------------------------------------------------------

    def step(self, job_id: str, name: str) -> tuple[str, Any]:
        """State (pending, started, done) and result of a step."""
        query = select(steps.c.state, steps.c.result).where(
            steps.c.job_id == job_id, steps.c.name == name
        )
        with self._db.read() as connection:
            state, result = connection.execute(query).one()
        return state, json.loads(result) if result else None

    def start_step(self, job_id: str, name: str) -> None:
        """Commit that a step is about to act; from here its outcome may be unknown."""
        self._set_step(job_id, name, state="started", started_at=clock.stamp())

    def finish_step(self, job_id: str, name: str, result: Any) -> None:
        """Commit a step's result."""
        self._set_step(job_id, name, state="done", done_at=clock.stamp(), result=json.dumps(result))

    def reset_step(self, job_id: str, name: str) -> None:
        """Back to pending: the vendor is known to have refused or never seen it."""
        self._set_step(job_id, name, state="pending")

    def _set_step(self, job_id: str, name: str, **columns: Any) -> None:
        with self._db.write() as connection:
            connection.execute(
                update(steps)
                .where(steps.c.job_id == job_id, steps.c.name == name)
                .values(**columns)
            )

    # -- leases ------------------------------------------------------------------------------

    def lease(self, job_id: str, owner: str, seconds: float) -> bool:
        """Take or renew the right to act on a job; False while another process holds it.

        A lease ends by time, or at once when the process that held it on this machine is gone.
        """
        moment = clock.real_now()
        query = select(jobs.c.lease_owner, jobs.c.lease_until).where(jobs.c.id == job_id)
        with self._db.write() as connection:
            holder, until = connection.execute(query).one()
            held = holder not in (None, owner) and until >= clock.stamp(moment)
            if held and not leases.is_gone(holder):
                return False
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id)
                .values(
                    lease_owner=owner,
                    lease_until=clock.stamp(moment + timedelta(seconds=seconds)),
                )
            )
        return True

    def release(self, job_id: str, owner: str) -> None:
        """Give the lease back."""
        with self._db.write() as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.lease_owner == owner)
                .values(lease_owner=None, lease_until=None)
            )


def _intent(plan: Plan, base_key: str, job_id: str, moment: str) -> dict[str, Any]:
    spec = plan.spec
    return {
        "id": job_id,
        "key": plan.key,
        "base_key": base_key,
        "attempt": plan.attempt,
        "provider": spec.provider,
        "account": plan.account,
        "region": plan.region,
        "model": spec.model,
        "method": str(spec.method),
        "adapter": str(spec.adapter),
        "privacy": str(spec.privacy),
        "spec": spec.model_dump_json(),
        "plan": plan.model_dump_json(),
        "state": str(State.PREPARING),
        "stopping": False,
        "estimate_low_micro": _micro(plan.usd.low),
        "estimate_high_micro": _micro(plan.usd.high),
        "created_at": moment,
        "updated_at": moment,
    }


def _micro(usd: Decimal | None) -> int | None:
    return None if usd is None else int((usd * MICRO).to_integral_value(rounding="ROUND_CEILING"))


def _require_room(connection: Any, month: str, wanted: int, cap: Decimal) -> None:
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
