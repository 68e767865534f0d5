"""Events, metrics and the hashes of the rows that a job was trained on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from ftbridge import clock
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.schema import events, metrics, training_rows, warnings
from ftbridge.provider import RemoteEvent, RemoteMetric


class History:
    """The tables events, metrics and training_rows."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_events(self, job_id: str, items: Sequence[RemoteEvent]) -> list[RemoteEvent]:
        """Keep the events that are not known yet and return them.

        ``items`` is the whole list as the vendor gives it now. Events are told apart by
        content, since some vendors renumber them; the n-th equal one counts as its own, unless
        its id shows that the answer merely holds it twice.
        """
        seen: Counter[str] = Counter()
        new = []
        items = _once(items)
        if not items or self._knows_all(job_id, items):
            return []  # the usual case, without taking the write lock
        with self._db.write() as connection:
            for item in items:
                content = _content(item)
                seen[content] += 1
                added = connection.execute(
                    insert(events)
                    .values(
                        job_id=job_id,
                        time=item.time,
                        level=item.level,
                        type=item.type,
                        step=item.step,
                        message=item.message,
                        content=content,
                        occurrence=seen[content],
                    )
                    .on_conflict_do_nothing()
                )
                if added.rowcount:
                    new.append(item)
        return new

    def _knows_all(self, job_id: str, items: Sequence[RemoteEvent]) -> bool:
        query = select(events.c.content).where(events.c.job_id == job_id)
        with self._db.read() as connection:
            known = Counter(connection.execute(query).scalars())
        return Counter(_content(item) for item in items) <= known

    def warn(self, job_id: str, code: str, about: str, message: str) -> bool:
        """Keep a warning about one thing; False where it was said already."""
        with self._db.read() as connection:
            query = select(warnings.c.time).where(
                warnings.c.job_id == job_id, warnings.c.code == code, warnings.c.about == about
            )
            if connection.execute(query).first():
                return False
        with self._db.write() as connection:
            added = connection.execute(
                insert(warnings)
                .values(job_id=job_id, code=code, about=about, message=message, time=clock.stamp())
                .on_conflict_do_nothing()
            )
        return bool(added.rowcount)

    def warnings(self, job_id: str) -> list[str]:
        """What was said about a job, oldest first."""
        query = select(warnings.c.message).where(warnings.c.job_id == job_id)
        with self._db.read() as connection:
            return list(connection.execute(query.order_by(warnings.c.time)).scalars())

    def events(self, job_id: str, after: int = 0) -> list[tuple[int, RemoteEvent]]:
        """The known events in the order of time, each with its number for ``after``."""
        query = (
            select(events)
            .where(events.c.job_id == job_id, events.c.id > after)
            .order_by(events.c.time, events.c.id)
        )
        with self._db.read() as connection:
            return [
                (row.id, RemoteEvent(row.time, row.level, row.message, row.step, row.type))
                for row in connection.execute(query)
            ]

    def add_metrics(self, job_id: str, items: Iterable[RemoteMetric]) -> None:
        """Keep the values; a later one for the same step and name wins."""
        known = {(m.step, m.name, m.value) for m in self.metrics(job_id)}
        rows = [
            {"job_id": job_id, "step": m.step, "name": m.name, "value": m.value, "time": m.time}
            for m in items
            if (m.step, m.name, m.value) not in known
        ]
        if not rows:
            return
        statement = insert(metrics)
        statement = statement.on_conflict_do_update(
            index_elements=["job_id", "step", "name"],
            set_={"value": statement.excluded.value, "time": statement.excluded.time},
        )
        with self._db.write() as connection:
            connection.execute(statement, rows)

    def metrics(self, job_id: str) -> list[RemoteMetric]:
        """The known values in the order of steps."""
        query = select(metrics).where(metrics.c.job_id == job_id).order_by(metrics.c.step)
        with self._db.read() as connection:
            return [
                RemoteMetric(row.step, row.name, row.value, row.time)
                for row in connection.execute(query)
            ]

    def add_training_rows(self, job_id: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep the hashes of content and prompt of each training row; never the row."""
        found = [{"job_id": job_id, "content": row, "prompt": prompt} for row, prompt in rows]
        with self._db.write() as connection:
            connection.execute(training_rows.delete().where(training_rows.c.job_id == job_id))
            connection.execute(insert(training_rows), found)

    def trained_on(self, job_id: str, prompts: Sequence[bytes]) -> int:
        """How many of these prompts the job was trained on."""
        query = select(func.count(func.distinct(training_rows.c.prompt))).where(
            training_rows.c.job_id == job_id
        )
        total = 0
        with self._db.read() as connection:
            for start in range(0, len(prompts), 500):
                piece = prompts[start : start + 500]
                total += connection.execute(
                    query.where(training_rows.c.prompt.in_(piece))
                ).scalar_one()
        return total


def _once(items: Sequence[RemoteEvent]) -> list[RemoteEvent]:
    """Without those whose id came before in the same answer."""
    seen: set[tuple[str, str]] = set()
    found = []
    for item in items:
        if item.id is not None:
            mark = (item.id, _content(item))
            if mark in seen:
                continue
            seen.add(mark)
        found.append(item)
    return found


def _content(item: RemoteEvent) -> str:
    text = "\0".join([item.time, item.level, item.type, str(item.step), item.message])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
