"""Files at vendors, known by content, and the account of what left this machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import desc, insert, or_, select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ftbridge import clock
from ftbridge.jobs.ledger.database import Database
from ftbridge.jobs.ledger.schema import egress, file_refs, files
from ftbridge.policy import CheckedUpload
from ftbridge.provider import RemoteFile


@dataclass(frozen=True)
class Sent:
    """What an egress entry says about one upload."""

    rows: int
    privacy: str


class Uploads:
    """The tables files, file_refs and egress."""

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
                query = select(egress.c.entry).order_by(desc(egress.c.id)).limit(1)
                previous = connection.execute(query).scalar() or ""
                entry = _entry(job_id, upload, remote, sent, moment)
                text = "\0".join([previous, *(f"{k}={v}" for k, v in sorted(entry.items()))])
                connection.execute(
                    insert(egress).values(
                        **entry, previous=previous, entry=hashlib.sha256(text.encode()).hexdigest()
                    )
                )


def _entry(
    job_id: str, upload: CheckedUpload, remote: RemoteFile, sent: Sent, moment: str
) -> dict[str, str | int | None]:
    where = upload.destination
    return {
        "job_id": job_id,
        "time": moment,
        "sha256": upload.sha256,
        "rows": sent.rows,
        "bytes": upload.bytes,
        "privacy": sent.privacy,
        "provider": where.provider,
        "account": where.account,
        "region": where.region,
        "endpoint": where.endpoint,
        "remote_id": remote.id,
        "rule": upload.rule,
    }
