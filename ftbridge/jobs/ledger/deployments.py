"""Tuned models that are kept in the ledger for themselves: what is deployed, what was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ftbridge import clock
from ftbridge.jobs.ledger.database import Database, values
from ftbridge.jobs.ledger.job_row import COLUMNS, JobRow, to_row
from ftbridge.jobs.ledger.schema import deployments, jobs, models


class DeploymentState(StrEnum):
    """Where a deployment is, as far as we know. All but the last two may be on the bill.

    ``starting``: the vendor is about to be asked, or was and we did not live to hear the answer.
    ``uncertain``: it was asked, and no certain answer came. ``stopping``: likewise for its end.
    """

    STARTING = "starting"
    RUNNING = "running"
    UNCERTAIN = "uncertain"
    STOPPING = "stopping"
    FAILED = "failed"
    ENDED = "ended"


class ModelKey(NamedTuple):
    """A tuned model at one account of a provider, what it was tuned from, and by which job."""

    provider: str
    account: str
    name: str
    base: str
    job_id: str | None = None


@dataclass(frozen=True)
class DeploymentRow:
    """A deployment. ``micro_usd_per_hour`` is what was known when it was made; None: unknown."""

    id: int
    job_id: str | None
    provider: str
    model: str
    name: str
    state: DeploymentState
    micro_usd_per_hour: int | None
    created_at: str
    ended_at: str | None

    @property
    def usd_per_hour(self) -> Decimal | None:
        """What an hour of it costs in USD; None where that is not known."""
        known = self.micro_usd_per_hour
        return None if known is None else Decimal(known) / 1_000_000

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; ``usd_so_far`` counts from when it was made, to now or its end."""
        rate = self.usd_per_hour
        until = clock.parse(self.ended_at) if self.ended_at else clock.now()
        hours = max(0.0, (until - clock.parse(self.created_at)).total_seconds() / 3600)
        return {
            "name": self.name,
            "model": self.model,
            "state": str(self.state),
            "usd_per_hour": None if rate is None else float(rate),
            "since": self.created_at,
            "ended_at": self.ended_at,
            "usd_so_far": None if rate is None else round(float(rate) * hours, 6),
        }


class Serving(NamedTuple):
    """What has not ended, and which models were deleted when, by job."""

    running: dict[str, list[DeploymentRow]]
    deleted: dict[str, str]

    def of(self, job_id: str) -> dict[str, Any]:
        """The part of a job's JSON form."""
        running = self.running.get(job_id, [])
        return {
            "deployments": [row.to_dict() for row in running],
            "model_deleted_at": self.deleted.get(job_id),
        }


class Deployments:
    """The tables models and deployments."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(self, key: ModelKey, micro_usd_per_hour: int | None) -> tuple[DeploymentRow, bool]:
        """Write that a model is about to be deployed, before the vendor is asked.

        One that has not ended goes on, as another row where an hour has another price now.

        Returns:
            The deployment, and whether the vendor may have had it before.
        """
        with self._db.write() as connection:
            found = connection.execute(_query().where(*_is(key), _OPEN)).first()
            if found and found.micro_usd_per_hour == micro_usd_per_hour:
                return _row(found), True
            if found:
                ended = {"state": str(DeploymentState.ENDED), "ended_at": clock.stamp()}
                connection.execute(
                    update(deployments).where(deployments.c.id == found.id).values(ended)
                )
            made = connection.execute(
                insert(deployments)
                .values(
                    model_id=_keep(connection, key),
                    name=key.name,
                    state=str(DeploymentState.STARTING),
                    micro_usd_per_hour=micro_usd_per_hour,
                    created_at=clock.stamp(),
                )
                .returning(deployments.c.id)
            ).scalar_one()
            row = connection.execute(_query().where(deployments.c.id == made)).one()
        return _row(row), found is not None

    def move(
        self, deployment_id: int, state: DeploymentState, name: str | None = None
    ) -> DeploymentRow:
        """Set the state, and the name to ask for; the end is dated once."""
        changes: dict[str, Any] = {"state": str(state)}
        if name is not None:
            changes["name"] = name
        if state in (DeploymentState.ENDED, DeploymentState.FAILED):
            changes["ended_at"] = clock.stamp()
        this = deployments.c.id == deployment_id
        with self._db.write() as connection:
            connection.execute(
                update(deployments).where(this, deployments.c.ended_at.is_(None)).values(changes)
            )
            return _row(connection.execute(_query().where(this)).one())

    def open(self, key: ModelKey) -> DeploymentRow | None:
        """The deployment of a model that has not ended, as far as we know."""
        with self._db.read() as connection:
            found = connection.execute(_query().where(*_is(key), _OPEN)).first()
        return _row(found) if found else None

    def all(self) -> list[DeploymentRow]:
        """Every deployment, also those that have ended."""
        with self._db.read() as connection:
            return [_row(record) for record in connection.execute(_query())]

    def serving(self, job_id: str | None = None) -> Serving:
        """What one job, or every job, has deployed or deleted; two queries for all."""
        return Serving(self._running(job_id), self._deleted(job_id))

    def _running(self, job_id: str | None) -> dict[str, list[DeploymentRow]]:
        query = _query().where(_OPEN, models.c.job_id.is_not(None))
        if job_id is not None:
            query = query.where(models.c.job_id == job_id)
        found: dict[str, list[DeploymentRow]] = {}
        with self._db.read() as connection:
            for record in connection.execute(query.order_by(deployments.c.id)):
                found.setdefault(record.job_id, []).append(_row(record))
        return found

    def made_by(self, provider: str, model: str) -> JobRow | None:
        """The job that a tuned model came from."""
        query = select(*COLUMNS).where(jobs.c.provider == provider, jobs.c.result_model == model)
        with self._db.read() as connection:
            found = connection.execute(query.order_by(jobs.c.created_at.desc())).first()
        return to_row(found) if found else None

    # -- deleted models ----------------------------------------------------------------------

    def mark_deleted(self, key: ModelKey, *, deleted: bool = True) -> None:
        """Write that a model is deleted at the vendor, or take that back."""
        with self._db.write() as connection:
            this = models.c.id == _keep(connection, key)
            when = clock.stamp() if deleted else None
            connection.execute(update(models).where(this).values(deleted_at=when))

    def _deleted(self, job_id: str | None) -> dict[str, str]:
        query = select(models.c.job_id, models.c.deleted_at).where(
            models.c.deleted_at.is_not(None), models.c.job_id.is_not(None)
        )
        if job_id is not None:
            query = query.where(models.c.job_id == job_id)
        with self._db.read() as connection:
            return {row.job_id: row.deleted_at for row in connection.execute(query)}


_OPEN = deployments.c.ended_at.is_(None)


def _is(key: ModelKey) -> tuple[Any, ...]:
    return (
        models.c.provider == key.provider,
        models.c.account == key.account,
        models.c.name == key.name,
    )


def _keep(connection: Connection, key: ModelKey) -> int:
    """The id of a model, made on first use."""
    connection.execute(
        sqlite_insert(models)
        .values(**key._asdict(), created_at=clock.stamp())
        .on_conflict_do_nothing()
    )
    return int(connection.execute(select(models.c.id).where(*_is(key))).scalar_one())


def _query() -> Select[Any]:
    return select(
        deployments.c.id, models.c.job_id, models.c.provider, models.c.name.label("model"),
        deployments.c.name, deployments.c.state, deployments.c.micro_usd_per_hour,
        deployments.c.created_at, deployments.c.ended_at,
    ).join(models)  # fmt: skip


def _row(record: Any) -> DeploymentRow:
    data = values(record)
    return DeploymentRow(**data | {"state": DeploymentState(data["state"])})
