"""Names for models in use: which job a name means now, and what it meant before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select, update

from ftbridge import clock
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.schema import aliases


@dataclass(frozen=True)
class Alias:
    """A name for a job's model, since when and why; ``until`` is None for the current one."""

    name: str
    job: str
    reason: str
    since: str
    until: str | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


class Aliases:
    """The table aliases."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def point(self, name: str, job_id: str, reason: str) -> Alias:
        """Let a name mean a job from now on; what it meant is kept as history."""
        now = clock.stamp()
        with self._db.write() as connection:
            connection.execute(
                update(aliases)
                .where(aliases.c.name == name, aliases.c.until.is_(None))
                .values(until=now)
            )
            connection.execute(
                insert(aliases).values(name=name, job_id=job_id, reason=reason, since=now)
            )
        return Alias(name, job_id, reason, now, None)

    def current(self, name: str) -> Alias | None:
        """What a name means now."""
        return next((each for each in self.history(name) if each.until is None), None)

    def history(self, name: str | None = None) -> list[Alias]:
        """What a name (or every name) has meant, newest first."""
        query = select(aliases).order_by(aliases.c.name, aliases.c.id.desc())
        if name is not None:
            query = query.where(aliases.c.name == name)
        with self._db.read() as connection:
            return [
                Alias(row.name, row.job_id, row.reason, row.since, row.until)
                for row in connection.execute(query)
            ]
