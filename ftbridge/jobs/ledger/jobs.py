"""Jobs: their intent, their lists, and how they move on."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, and_, desc, insert, select, update
from sqlalchemy.exc import IntegrityError

from ftbridge import clock
from ftbridge.errors import OperationFailed, UsageError
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.job_row import COLUMNS, JobRow, to_row
from ftbridge.jobs.ledger.reservations import micro, reserve, settle
from ftbridge.jobs.ledger.schema import job_tags, jobs, steps
from ftbridge.jobs.ledger.steps import finish
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.states import FINAL, State, is_legal
from ftbridge.provider import RemoteJob


class Jobs:
    """The tables jobs and job_tags, and the intent in all the tables that it touches."""

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
            BudgetRefused: where the month's reservations would pass the cap, or where there is a
                cap and nobody knows a bound of what the job costs.
        """
        job_id = "job_" + secrets.token_hex(6)
        moment = clock.stamp()
        with self._db.write() as connection:
            held = connection.execute(select(jobs.c.id).where(jobs.c.key == plan.key)).scalar()
            if held:
                return str(held)
            connection.execute(insert(jobs).values(_intent(plan, base_key, job_id, moment)))
            for name, value in plan.spec.tags.items():
                connection.execute(insert(job_tags).values(job_id=job_id, name=name, value=value))
            connection.execute(
                insert(steps),
                [{"job_id": job_id, "name": name, "state": "pending"} for name in step_names],
            )
            reserve(connection, job_id, moment[:7], _bound(plan), cap)
        return job_id

    # -- reading -----------------------------------------------------------------------------

    def get(self, reference: str) -> JobRow:
        """A job by its id or an unambiguous beginning of it.

        Raises:
            UsageError: where there is none, or several.
        """
        # a range, not LIKE: only that uses the index
        query = select(*COLUMNS).where(jobs.c.id >= reference, jobs.c.id <= f"{reference}\uffff")
        with self._db.read() as connection:
            found = connection.execute(query.order_by(jobs.c.id).limit(2)).all()
        if len(found) == 1 or (found and found[0].id == reference):
            return to_row(found[0])
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
            select(*COLUMNS)
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
        """Jobs, newest first.

        Args:
            since: RFC 3339 or a bare day; only jobs made then or later.
        """
        query = _query(provider, states, tag, since)
        if limit is not None:
            query = query.limit(limit)
        with self._db.read() as connection:
            return [to_row(record) for record in connection.execute(query)]

    def stream(
        self,
        *,
        provider: str | None = None,
        states: Sequence[State] = (),
        tag: tuple[str, str] | None = None,
        since: str | None = None,
    ) -> Iterator[JobRow]:
        """The same, one after another, for lists that need not fit into memory."""
        query = _query(provider, states, tag, since)
        with self._db.read() as connection:
            options = {"yield_per": 500}
            for record in connection.execute(query, execution_options=options):
                yield to_row(record)

    def _first(self, query: Select[Any]) -> JobRow | None:
        with self._db.read() as connection:
            record = connection.execute(query).first()
        return to_row(record) if record else None

    # -- moving on ---------------------------------------------------------------------------

    def move(self, job_id: str, state: State, **columns: Any) -> JobRow:
        """Set the state and any other columns; an illegal transition leaves the state alone.

        Writes nothing, and leaves ``updated_at``, where nothing is new. A final state settles
        what the job had reserved.
        """
        with self._db.read() as connection:
            if not _changes(connection, job_id, state, columns):
                return _read(connection, job_id)
        with self._db.write() as connection:
            changes = _changes(connection, job_id, state, columns)
            if changes:
                _write(connection, job_id, changes)
            return _read(connection, job_id)

    def adopt(self, job_id: str, remote: RemoteJob) -> JobRow:
        """Bind the vendor's job to ours, in one transaction with the steps that end by it.

        Raises:
            OperationFailed: where another of our jobs is bound to it already.
        """
        columns = {
            "raw_state": remote.raw_state,
            "remote_id": remote.id,
            "error": remote.error,
        }
        try:
            with self._db.write() as connection:
                finish(connection, job_id, "create", remote.id)
                finish(connection, job_id, "adopt", remote.id)
                _write(connection, job_id, _changes(connection, job_id, remote.state, columns))
                return _read(connection, job_id)
        except IntegrityError:
            raise OperationFailed(
                f"{remote.id} belongs to another job already",
                hint="see `ftbridge jobs`",
                where=job_id,
                code="already_adopted",
            ) from None

    def ask_to_stop(self, job_id: str) -> None:
        """Tell whoever is submitting the job to stop before the next step."""
        with self._db.write() as connection:
            _write(connection, job_id, {"stopping": True})

    def touch(self, job_id: str) -> None:
        """Keep that there was news of the job."""
        with self._db.write() as connection:
            _write(connection, job_id, {})

    def mark_notified(self, job_id: str) -> None:
        """Keep that somebody was told of the end."""
        with self._db.write() as connection:
            _write(connection, job_id, {"notified_at": clock.stamp()})

    def was_notified(self, job_id: str) -> bool:
        """Whether somebody was told of the end."""
        query = select(jobs.c.notified_at).where(jobs.c.id == job_id)
        with self._db.read() as connection:
            return connection.execute(query).scalar_one() is not None


_KEPT = frozenset({"result_model", "billed_tokens", "progress", "remote_id"})
"""Columns that are not emptied again by an answer that leaves them out."""


def _changes(
    connection: Connection, job_id: str, state: State, columns: dict[str, Any]
) -> dict[str, Any]:
    before = _read(connection, job_id)
    new = {
        name: value
        for name, value in columns.items()
        if value != getattr(before, name) and not (value is None and name in _KEPT)
    }
    if state != before.state and is_legal(before.state, state):
        new["state"] = state
    return new


def _write(connection: Connection, job_id: str, changes: dict[str, Any]) -> None:
    moment = clock.stamp()
    values = changes | {"updated_at": moment}
    if values.get("error") is not None:
        values["error"] = json.dumps(values["error"])
    state = values.get("state")
    if state in FINAL:
        values["finished_at"] = moment
        values["stopping"] = False
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
    if state in FINAL:
        settle(connection, job_id, State(state), changes.get("billed_micro"), moment)


def _read(connection: Connection, job_id: str) -> JobRow:
    return to_row(connection.execute(select(*COLUMNS).where(jobs.c.id == job_id)).one())


def _bound(plan: Plan) -> int | None:
    """The most that a job may cost in micro-USD: the estimate, else what the person set."""
    if not plan.bills:
        return 0
    limit = None if plan.max_usd is None else Decimal(plan.max_usd)
    return micro(limit if plan.usd.high is None else plan.usd.high)


def _intent(plan: Plan, base_key: str, job_id: str, moment: str) -> dict[str, Any]:
    spec = plan.spec
    return {
        "id": job_id,
        "key": plan.key,
        "base_key": base_key,
        "attempt": plan.attempt,
        "parent_job": plan.parent_job,
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
        "estimate_low_micro": micro(plan.usd.low),
        "estimate_high_micro": micro(plan.usd.high),
        "created_at": moment,
        "updated_at": moment,
    }


def _query(
    provider: str | None,
    states: Sequence[State],
    tag: tuple[str, str] | None,
    since: str | None,
) -> Select[Any]:
    query = select(*COLUMNS).order_by(desc(jobs.c.created_at), desc(jobs.c.id))
    if provider:
        query = query.where(jobs.c.provider == provider)
    if states:
        query = query.where(jobs.c.state.in_([str(state) for state in states]))
    if since:
        query = query.where(jobs.c.created_at >= clock.stamp(clock.parse(since, "since")))
    if tag:
        query = query.join(job_tags).where(
            and_(job_tags.c.name == tag[0], job_tags.c.value == tag[1])
        )
    return query
