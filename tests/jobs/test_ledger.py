"""The ledger: its schema through time, its lists, and what it does when it cannot be written."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from emulated import Account, write_chats
from jobs.conftest import Cli

import ftbridge.jobs.ledger.database as database
from ftbridge.errors import LedgerError
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.schema import metadata
from ftbridge.jobs.states import FINAL, State, is_legal

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


# -- schema ------------------------------------------------------------------------------------


def _migrations() -> ScriptDirectory:
    config = Config()
    folder = Path(database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config)


def test_the_newest_migration_is_the_one_we_ask_for() -> None:
    assert _migrations().get_heads() == [database.HEAD]
    released = {path.stem for path in SCHEMAS} | {database.HEAD}
    assert released == {script.revision for script in _migrations().walk_revisions()}


def test_migrations_end_at_the_tables_of_the_code(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    ledger.close()


def _schema(path: Path) -> set[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    tables = [row[0] for row in connection.execute("select name from sqlite_master")]
    found = {
        (table, *map(str, row[1:]))
        for table in tables
        for pragma in ("table_info", "index_list", "foreign_key_list")
        for row in connection.execute(f"pragma {pragma}('{table}')")
    }
    connection.close()
    return found


@pytest.mark.parametrize("dump", SCHEMAS, ids=lambda path: path.stem)
def test_every_released_schema_is_brought_up(tmp_path: Path, dump: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    connection = sqlite3.connect(old / "ledger.db")
    connection.executescript(dump.read_text())
    connection.close()
    ledger, fresh = Ledger(old), Ledger(new)
    job = ledger.jobs.get("job_000000000001")
    assert (job.state, job.remote_id) == (State.RUNNING, "ftjob-1")
    assert ledger.steps.get(job.id, "create") == ("done", "ftjob-1")
    assert ledger.steps.get(job.id, "adopt") == ("pending", None), "a step it never had"
    assert ledger.jobs.list(tag=("team", "a")) == [job]
    assert ledger.jobs.move(job.id, State.SUCCEEDED, billed_micro=7).state is State.SUCCEEDED
    ledger.close()
    fresh.close()
    assert {row[:3] for row in _schema(old / "ledger.db")} == {
        row[:3] for row in _schema(new / "ledger.db")
    }


def test_a_newer_ledger_is_left_alone(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerError, match="newer ftbridge"):
        Ledger(tmp_path)


def test_two_processes_make_a_ledger_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from ftbridge.jobs.ledger import Ledger; "
        "Ledger(pathlib.Path(sys.argv[1])).close()"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[1] for process in both] == [b""] * 4
    assert {process.returncode for process in both} == {0}


# -- states ------------------------------------------------------------------------------------


def test_which_state_may_follow_which() -> None:
    for before in State:
        assert is_legal(before, before)
        if before in FINAL:
            assert [after for after in State if is_legal(before, after)] == [before]
    assert not is_legal(State.RUNNING, State.PREPARING)
    assert not is_legal(State.RUNNING, State.UNCERTAIN)
    assert is_legal(State.PREPARING, State.UNCERTAIN)
    assert is_legal(State.UNCERTAIN, State.PREPARING)
    assert is_legal(State.PAUSED, State.QUEUED)


def test_what_a_vendor_says_late_does_not_reopen_a_job(ftbridge: Cli, openai: Account) -> None:
    job = ftbridge.job()
    assert ftbridge("cancel", job).json["state"] == "cancelled"
    openai.store.force_status(next(iter(openai.store.jobs)), "running")
    assert ftbridge("status", job).json["state"] == "cancelled"


# -- lists -------------------------------------------------------------------------------------


def test_filters(ftbridge: Cli, openai: Account) -> None:
    first = ftbridge.job("one", "--tag", "team=a")
    second = ftbridge.job("two", "--tag", "team=b")
    ftbridge("cancel", second)

    def listed(*args: str) -> list[str]:
        return [job["job"] for job in ftbridge("jobs", *args).json["jobs"]]

    assert listed() == [second, first]
    assert listed("--tag", "team=a") == [first]
    assert listed("--state", "cancelled") == [second]
    assert listed("--state", "cancelled", "--state", "validating") == [second, first]
    assert listed("--provider", "openai", "--limit", "1") == [second]
    assert listed("--provider", "local") == []
    assert listed("--since", "2020-01-01") == [second, first]
    assert listed("--since", "2999-01-01") == []
    assert ftbridge("jobs", "--since", "soon").code == 2
    assert ftbridge("jobs", "--state", "tired").code == 2


def test_export(ftbridge: Cli, openai: Account, tmp_path: Path) -> None:
    jobs = {ftbridge.job(name) for name in ("one", "two")}
    for job in jobs:
        ftbridge("status", job)
    said = ftbridge("jobs", "--export", str(tmp_path / "jobs.jsonl"))
    assert said.json["exported"] == 2
    rows = [json.loads(line) for line in (tmp_path / "jobs.jsonl").read_text().splitlines()]
    assert {row["job"] for row in rows} == jobs
    assert all(row["plan"]["tokens"] and row["spec"]["model"] and row["events"] for row in rows)
    assert "sk-sandbox" not in (tmp_path / "jobs.jsonl").read_text()


def test_a_job_by_the_beginning_of_its_id(ftbridge: Cli, openai: Account) -> None:
    job = ftbridge.job("one")
    ftbridge.job("two")
    assert ftbridge("status", job[:-2]).json["job"] == job
    assert ftbridge("status", "job_").json["error"]["code"] == "unknown_job"
    assert ftbridge("status", "job_%").json["error"]["code"] == "unknown_job"


# -- when it cannot be written -----------------------------------------------------------------


def _limited(folder: Path, limit: int, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a command that may make no file larger than this many KiB: as on a full disk."""
    line = f'ulimit -f {limit}; exec "$@"'
    return subprocess.run(
        ["bash", "-c", line, "bash", sys.executable, "-m", "ftbridge", *args, "--json"],
        capture_output=True,
        text=True,
        env=os.environ | {"FTBRIDGE_HOME": str(folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=60,
    )


@pytest.mark.parametrize("limit", [0, 24, 120, 200])
def test_a_full_disk(ftbridge: Cli, openai: Account, tmp_path: Path, limit: int) -> None:
    first = ftbridge.job("one")
    data = write_chats(tmp_path / "two.jsonl", count=2000)
    said = _limited(tmp_path, limit, "submit", str(data), "--provider", "openai", "--yes")
    error = json.loads(said.stdout)["error"]
    assert (said.returncode, error["code"]) == (1, "ledger"), error
    assert "Traceback" not in said.stderr and "space" in error["hint"]
    found = ftbridge("jobs").json["jobs"]
    assert first in [job["job"] for job in found]
    for job in found:  # whatever was begun can be finished once there is room
        assert ftbridge("resume", job["job"]).code == 0
    assert len(openai.store.jobs) == len(found)


def test_a_home_that_cannot_be_written(
    ftbridge: Cli, openai: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FTBRIDGE_HOME", str(tmp_path / "file" / "home"))
    said = ftbridge.submit()
    assert said.code == 2 and "--home" in said.json["error"]["hint"]
    (tmp_path / "odd" / "ledger.db").mkdir(parents=True)
    monkeypatch.setenv("FTBRIDGE_HOME", str(tmp_path / "odd"))
    said = ftbridge.submit()
    assert (said.code, said.json["error"]["code"]) == (1, "ledger")
    assert openai.injector.requests == []


def test_a_ledger_that_another_process_holds(
    ftbridge: Cli, openai: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ftbridge.job("one")
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(tmp_path / "home" / "ledger.db", isolation_level=None)
    holder.execute("begin immediate")
    said = ftbridge.submit("two")
    assert (said.code, said.json["error"]["code"]) == (1, "ledger")
    assert "another process" in said.json["error"]["hint"]
    assert ftbridge("jobs").json["jobs"][0]["job"] == job, "reading needs no lock"
    holder.execute("rollback")
    holder.close()
    assert ftbridge.submit("two").code == 0 and len(openai.store.jobs) == 2


@pytest.mark.parametrize("start", [0, 4096])
def test_a_damaged_ledger_is_kept_as_it_is(
    ftbridge: Cli, openai: Account, tmp_path: Path, start: int
) -> None:
    ftbridge.job("one")
    path = tmp_path / "home" / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    content = path.read_bytes()
    path.write_bytes(content[:start] + b"\xff" * (len(content) - start))
    for log in path.parent.glob("ledger.db-*"):
        log.unlink()
    before = path.read_bytes()
    said = ftbridge.submit("two")
    assert (said.code, said.json["error"]["code"]) == (1, "ledger"), said
    assert "damaged" in said.json["error"]["hint"]
    assert path.read_bytes() == before
    assert len(openai.store.jobs) == 1
