"""Files at vendors, known by content, and the account of what left this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, desc, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ftbridge import clock
from ftbridge.jobs.ledger import egress
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.schema import file_refs, files, jobs
from ftbridge.jobs.states import FINAL
from ftbridge.policy import CheckedUpload, Destination
from ftbridge.provider import RemoteFile


@dataclass(frozen=True)
class Sent:
    """What an egress entry says about one upload."""

    rows: int
    privacy: str


@dataclass(frozen=True)
class FileRow:
    """A file at a vendor, and the other jobs that are not final and were made from it."""

    id: int
    remote_id: str
    sha256: str
    bytes: int
    needed_by: tuple[str, ...]


class Uploads:
    """The tables files and file_refs, and the entries in egress that belong to them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(self, job_id: str, upload: CheckedUpload) -> str | None:
        """The remote id of the same content at the same account, now used by this job too."""
        query = select(files.c.id, files.c.remote_id).where(
            files.c.provider == upload.destination.provider,
            files.c.account == upload.destination.account,
            files.c.sha256 == upload.sha256,
            files.c.purpose == upload.purpose,
            files.c.purged_at.is_(None),
            or_(files.c.expires_at.is_(None), files.c.expires_at > clock.stamp()),
        )
        with self._db.write() as connection:
            row = connection.execute(query.order_by(desc(files.c.id))).first()
            if row is None:
                return None
            connection.execute(
                sqlite_insert(file_refs)
                .values(file_id=row.id, job_id=job_id)
                .on_conflict_do_nothing()
            )
        return str(row.remote_id)

    def forget(self, where: Destination, remote_id: str) -> None:
        """Keep that the vendor no longer has a file: it expired or was deleted there."""
        with self._db.write() as connection:
            connection.execute(
                update(files)
                .where(
                    files.c.provider == where.provider,
                    files.c.account == where.account,
                    files.c.remote_id == remote_id,
                    files.c.purged_at.is_(None),
                )
                .values(purged_at=clock.stamp())
            )

    def of_job(self, job_id: str) -> list[FileRow]:
        """The files that a job uses and that are still at the vendor, each with who needs it."""
        with self._db.read() as connection:
            return _files(connection, job_id)

    def take_for_purge(self, job_id: str) -> tuple[list[FileRow], list[FileRow]]:
        """Mark the job's files as purged unless another job that is not final needs them.

        Marked before they are deleted, in the transaction that looks: a submit that comes
        meanwhile uploads anew instead of relying on a file that is about to go.

        Returns:
            The files to delete at the vendor now, and those that were left.
        """
        with self._db.write() as connection:
            found = _files(connection, job_id)
            free = [row for row in found if not row.needed_by]
            connection.execute(
                update(files)
                .where(files.c.id.in_([row.id for row in free]))
                .values(purged_at=clock.stamp())
            )
        return free, [row for row in found if row.needed_by]

    def left_behind(self) -> list[str]:
        """The ids of ended jobs whose files are still at the vendor."""
        query = (
            select(file_refs.c.job_id)
            .distinct()
            .join(files, files.c.id == file_refs.c.file_id)
            .join(jobs, jobs.c.id == file_refs.c.job_id)
            .where(files.c.purged_at.is_(None), jobs.c.state.in_([str(state) for state in FINAL]))
        )
        with self._db.read() as connection:
            return list(connection.execute(query).scalars())

    def give_back(self, rows: Sequence[FileRow]) -> None:
        """Take a purge back that the vendor did not carry out."""
        with self._db.write() as connection:
            connection.execute(
                update(files).where(files.c.id.in_([row.id for row in rows])).values(purged_at=None)
            )

    def begin(self, job_id: str, upload: CheckedUpload, sent: Sent) -> None:
        """Record that a file is about to leave: should its answer be lost, it may have left."""
        if upload.destination.leaves:
            with self._db.write() as connection:
                egress.add(connection, "sending", _entry(job_id, upload, "", sent))

    def add(self, job_id: str, upload: CheckedUpload, remote: RemoteFile, sent: Sent) -> None:
        """Record an upload: the file, its use by this job, and the egress entry, at once."""
        moment = clock.stamp()
        with self._db.write() as connection:
            file_id = connection.execute(
                insert(files)
                .values(
                    provider=upload.destination.provider,
                    account=upload.destination.account,
                    sha256=upload.sha256,
                    purpose=upload.purpose,
                    remote_id=remote.id,
                    bytes=upload.bytes,
                    uploaded_at=moment,
                    expires_at=remote.expires_at,
                )
                .returning(files.c.id)
            ).scalar_one()
            connection.execute(insert(file_refs).values(file_id=file_id, job_id=job_id))
            if upload.destination.leaves:
                egress.add(connection, "sent", _entry(job_id, upload, remote.id, sent))


def _files(connection: Connection, job_id: str) -> list[FileRow]:
    mine = (
        select(files.c.id, files.c.remote_id, files.c.sha256, files.c.bytes)
        .join(file_refs)
        .where(file_refs.c.job_id == job_id, files.c.purged_at.is_(None))
    )
    found = []
    for row in connection.execute(mine.order_by(files.c.id)).all():
        needing = (
            select(jobs.c.id)
            .join(file_refs)
            .where(
                file_refs.c.file_id == row.id,
                jobs.c.id != job_id,
                jobs.c.state.not_in([str(state) for state in FINAL]),
            )
        )
        found.append(FileRow(*row, tuple(connection.execute(needing).scalars())))
    return found


def _entry(job_id: str, upload: CheckedUpload, remote_id: str, sent: Sent) -> dict[str, Any]:
    where = upload.destination
    return {
        "job_id": job_id,
        "sha256": upload.sha256,
        "rows": sent.rows,
        "bytes": upload.bytes,
        "privacy": sent.privacy,
        "provider": where.provider,
        "account": where.account,
        "region": where.region,
        "endpoint": where.endpoint,
        "remote_id": remote_id,
        "rule": upload.rule,
    }
