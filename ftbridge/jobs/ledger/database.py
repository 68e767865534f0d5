"""The SQLite file: WAL, foreign keys, migrations, and errors for people."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from ftbridge.errors import LedgerError
from ftbridge.files import private_dir

HEAD = "0003"
"""The newest migration; a test compares it with the files."""

BUSY_SECONDS = 30
"""How long a writer waits for another process."""

_READS = "ftbridge_reads"


class Database:
    """An engine with one way to read and one way to write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._translated():
            private_dir(path.parent)
            if not path.exists():
                path.touch(mode=0o600)
        self._engine = _engine(path)
        with self._translated():
            self._migrate()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries; sees what was committed when each began."""
        with self._translated(), self._engine.connect() as connection:
            yield connection.execution_options(**{_READS: True})

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; committed if the block ends.

        IntegrityError passes through: the caller knows which race it means.
        """
        with self._translated(), self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _migrate(self) -> None:
        if self._version() == HEAD:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)

    def _version(self) -> str | None:
        with self._engine.connect() as opened:
            connection = opened.execution_options(**{_READS: True})
            tables = connection.execute(
                text("select count(*) from sqlite_master where name = 'alembic_version'")
            ).scalar_one()
            if not tables:
                return None
            version = connection.execute(text("select version_num from alembic_version")).scalar()
        if version is not None and version > HEAD:
            raise LedgerError(
                f"{self.path} was written by a newer ftbridge (schema {version}, we know {HEAD})",
                hint="upgrade ftbridge, or use another --home",
                where=str(self.path),
            )
        return version

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DatabaseError as error:
            raise self._error(error) from None
        except OSError as error:
            raise LedgerError(
                f"{self.path}: {error.strerror}",
                hint="check the folder's permissions and free space, or use another --home",
                where=str(self.path),
            ) from None

    def _error(self, error: DatabaseError) -> LedgerError:
        cause = str(error.orig)
        hint = "nothing was changed; try again"
        if "locked" in cause:
            hint = "another process has been writing for long; try again when it has ended"
        elif "full" in cause or "disk I/O" in cause:
            hint = "free some disk space and try again; nothing was changed"
        elif "readonly" in cause or "unable to open" in cause:
            hint = "make the folder writable, or use another --home"
        elif not isinstance(error, OperationalError) or "malformed" in cause:
            hint = "the file is damaged and was left as it is; restore it from a backup"
        return LedgerError(f"{self.path}: {cause}", hint=hint, where=str(self.path))


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma secure_delete = on")  # what is deleted is overwritten

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # `immediate`: two processes that both read first cannot then both write
        reads = connection.get_execution_options().get(_READS)
        connection.exec_driver_sql("begin" if reads else "begin immediate")

    return engine


def values(row: Any) -> dict[str, Any]:
    """A result row as a plain dict."""
    return dict(row._mapping)
