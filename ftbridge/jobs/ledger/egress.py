"""The account of what left this machine: hash-chained, added to and never changed.

It tells which content (by hash) went where, under which label and rule, and what was deleted
there again. Nothing of the content is in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, desc, insert, select

from ftbridge import clock
from ftbridge.files import atomic_write
from ftbridge.jobs.ledger.database import Database, values
from ftbridge.jobs.ledger.schema import egress, files

Action = Literal["sending", "sent", "asked", "deleted", "delete_accepted", "not_deleted"]
"""``sending`` is written before the first byte leaves, ``sent`` when the vendor has confirmed;
``asked``: rows went to a model as questions; ``deleted`` was verified by reading back,
``delete_accepted`` is the vendor's word alone."""

_HASHED = tuple(c.name for c in egress.c if c.name not in ("id", "previous", "entry", "action"))


@dataclass(frozen=True)
class Entry:
    """One line of the account; ``entry`` is its hash, which holds ``previous``, the one before."""

    id: int
    action: str
    job_id: str | None
    time: str
    sha256: str
    rows: int
    bytes: int
    privacy: str
    provider: str
    account: str
    region: str | None
    endpoint: str
    remote_id: str
    rule: str
    previous: str
    entry: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class Verification:
    """Whether the chain holds. ``fault`` names the first entry that does not, ``missing`` the
    remote ids of files that are known to have been sent and have no entry."""

    entries: int
    head: str
    fault: int | None = None
    reason: str = ""
    missing: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None and not self.reason and not self.missing


class Egress:
    """The table egress."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def note(self, action: Action, columns: dict[str, Any]) -> None:
        """Add one entry; ``columns`` holds all but the time and the hashes."""
        with self._db.write() as connection:
            add(connection, action, columns)

    def entries(self, *, job_id: str | None = None) -> Iterator[Entry]:
        """All entries, or those of a job, oldest first."""
        query = select(egress).order_by(egress.c.id)
        if job_id is not None:
            query = query.where(egress.c.job_id == job_id)
        with self._db.read() as connection:
            for record in connection.execute(query):
                yield Entry(**values(record))

    def verify(self, leaves: Callable[[str], bool], head: str | None = None) -> Verification:
        """Recompute the whole chain.

        Args:
            leaves: whether a provider, by name, is another machine than this one.
            head: the hash of an entry, noted down earlier elsewhere: it must still be there. Only
                that tells when the newest entries were taken away together with their files.
        """
        last, count, met = "", 0, head is None
        sent = set()
        for entry in self.entries():
            if entry.previous != last:
                reason = "does not follow the entry before it: one was removed, added or moved"
                return Verification(count, last, entry.id, reason)
            if _hash(asdict(entry), last) != entry.entry:
                return Verification(count, last, entry.id, "its content was changed")
            last, count, met = entry.entry, count + 1, met or entry.entry == head
            if entry.action == "sent":
                sent.add((entry.provider, entry.account, entry.remote_id))
        missing = tuple(what[2] for what in self._sent_files(leaves) if what not in sent)
        reason = "" if met else "the entry with the hash that was given is not there any more"
        return Verification(count, last, None, reason, missing)

    def export(self, out: Path) -> tuple[int, str]:
        """Write all entries as JSON lines, each with its hashes.

        Returns:
            How many, and the hash of the last.
        """
        count, head = 0, ""
        with atomic_write(out) as stream:
            for entry in self.entries():
                stream.write(json.dumps(entry.to_dict()).encode() + b"\n")
                count, head = count + 1, entry.entry
        return count, head

    def _sent_files(self, leaves: Callable[[str], bool]) -> list[tuple[str, str, str]]:
        query = select(files.c.provider, files.c.account, files.c.remote_id).order_by(files.c.id)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [(row[0], row[1], row[2]) for row in rows if leaves(row[0])]


def add(connection: Connection, action: Action, columns: dict[str, Any]) -> None:
    """Add one entry inside a transaction."""
    newest = select(egress.c.entry).order_by(desc(egress.c.id)).limit(1)
    previous = connection.execute(newest).scalar() or ""
    entry = columns | {"time": clock.stamp(), "action": action}
    connection.execute(
        insert(egress).values(**entry, previous=previous, entry=_hash(entry, previous))
    )


def _hash(entry: dict[str, Any], previous: str) -> str:
    """Schemas before 0003 knew only ``sent`` and hashed no action; their entries stay valid."""
    parts = {name: entry[name] for name in _HASHED}
    if entry["action"] != "sent":
        parts["action"] = entry["action"]
    text = "\0".join([previous, *(f"{name}={value}" for name, value in sorted(parts.items()))])
    return hashlib.sha256(text.encode()).hexdigest()
