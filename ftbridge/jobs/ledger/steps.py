"""The write-ahead log of a submit, and who may work on it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from ftbridge import clock
from ftbridge.jobs import leases
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.schema import jobs, steps


class Steps:
    """The table steps, and the leases in the table jobs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, job_id: str, name: str) -> tuple[str, Any]:
        """State (pending, started, done) and result of a step."""
        query = select(steps.c.state, steps.c.result).where(
            steps.c.job_id == job_id, steps.c.name == name
        )
        with self._db.read() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:  # an older ftbridge had fewer steps
            return "pending", None
        return found.state, json.loads(found.result) if found.result else None

    def start(self, job_id: str, name: str) -> bool:
        """Commit that a step is about to act; from here its outcome may be unknown.

        Returns:
            False, with nothing written, where somebody has asked the job to stop. That is asked
            in the same transaction, so that a cancel cannot slip in before the vendor is paid.
        """
        with self._db.write() as connection:
            query = select(jobs.c.stopping).where(jobs.c.id == job_id)
            if connection.execute(query).scalar_one():
                return False
            put(connection, job_id, name, state="started", started_at=clock.stamp())
        return True

    def finish(self, job_id: str, name: str, result: Any) -> None:
        """Commit a step's result."""
        with self._db.write() as connection:
            finish(connection, job_id, name, result)

    def reset(self, job_id: str, name: str) -> None:
        """Back to pending: the vendor is known to have refused, never seen or lost it."""
        with self._db.write() as connection:
            put(connection, job_id, name, state="pending", result=None)

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


def put(connection: Connection, job_id: str, name: str, **columns: Any) -> None:
    """Write a step inside a transaction."""
    statement = insert(steps).values(job_id=job_id, name=name, **columns)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["job_id", "name"], set_=columns)
    )


def finish(connection: Connection, job_id: str, name: str, result: Any) -> None:
    """Write a step's result inside a transaction."""
    put(connection, job_id, name, state="done", done_at=clock.stamp(), result=json.dumps(result))
