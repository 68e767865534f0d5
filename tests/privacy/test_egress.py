"""The account of what left: complete, free of text, and every tampering found at its entry."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from emulated import Account

import ftbridge
from ftbridge.jobs.ledger import Ledger

from .conftest import Ask, rows


@pytest.fixture
def chain(vendor: Account, project: Path, closed_world: Path, ask: Ask) -> Path:
    """A home whose account has ten entries; returns the ledger's file."""
    for number in range(5):
        path = project / f"train{number}.jsonl"
        path.write_text(rows(f"secret words {number}"))
        assert ask("submit", path, "--provider", "openai", "--yes").code == 0
    return closed_world / "ledger.db"


@contextmanager
def tampering(ledger: Path) -> Iterator[sqlite3.Connection]:
    """Write to the file past ftbridge, its triggers taken off."""
    with closing(sqlite3.connect(ledger)) as connection:
        for verb in ("update", "delete"):
            connection.execute(f"drop trigger if exists egress_no_{verb}")
        connection.execute("pragma foreign_keys = off")
        yield connection
        connection.commit()


def test_what_left_is_told_and_nothing_of_it(chain: Path, ask: Ask, vendor: Account) -> None:
    entries = ask("egress", "list").json["entries"]
    assert [entry["action"] for entry in entries] == ["sending", "sent"] * 5
    sent = [entry for entry in entries if entry["action"] == "sent"]
    assert [entry["remote_id"] for entry in sent] == vendor.uploaded()
    for entry in sent:
        assert len(entry["sha256"]) == 64 and entry["rows"] == 12 and entry["bytes"] > 100
        assert (entry["privacy"], entry["rule"]) == ("internal", "default.allow")
        assert entry["provider"] == "openai" and entry["account"] and entry["endpoint"]
    assert "secret words" not in json.dumps(entries)
    assert ask("egress", "list", "--job", sent[0]["job_id"]).json["entries"] == entries[:2]


def test_it_is_written_before_the_bytes_leave(
    vendor: Account, data: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FTBRIDGE_OPENAI_PATIENCE_SECONDS", "0")
    assert ask("submit", data, "--provider", "openai", "--yes").code == 4
    assert {e["action"] for e in ask("egress", "list").json["entries"]} == {"sending"}


def test_export_holds_the_chain(chain: Path, ask: Ask, tmp_path: Path) -> None:
    said = ask("egress", "export", "-o", tmp_path / "account.jsonl").json
    lines = [json.loads(line) for line in (tmp_path / "account.jsonl").read_text().splitlines()]
    assert said["written"] == len(lines) == 10
    for before, entry in pairwise(lines):
        assert entry["previous"] == before["entry"]
    assert ask("egress", "verify").json["head"] == said["head"] == lines[-1]["entry"]


COLUMNS: dict[str, Any] = {
    "action": "deleted", "job_id": None, "time": "2020-01-01T00:00:00Z", "sha256": "0" * 64,
    "rows": 1, "bytes": 1, "privacy": "public", "provider": "mistral", "account": "other",
    "region": "eu", "endpoint": "https://elsewhere", "remote_id": "file-other", "rule": "mine",
    "previous": "0" * 64, "entry": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("entry", [1, 4, 10])
def test_a_changed_entry_is_found(chain: Path, ask: Ask, column: str, entry: int) -> None:
    assert ask("egress", "verify").code == 0
    with tampering(chain) as connection:
        connection.execute(f"update egress set {column} = ? where id = ?", (COLUMNS[column], entry))
    said = ask("egress", "verify")
    assert (said.code, said.json["fault"]) == (1, entry)
    assert said.json["error"]["where"] == f"egress entry {entry}"


def test_a_removed_entry_is_found_at_the_next(chain: Path, ask: Ask) -> None:
    with tampering(chain) as connection:
        connection.execute("delete from egress where id = 3")
    assert ask("egress", "verify").json["fault"] == 4


def test_swapped_entries_are_found(chain: Path, ask: Ask) -> None:
    with tampering(chain) as connection:
        for before, after in ((5, 99), (6, 5), (99, 6)):
            connection.execute("update egress set id = ? where id = ?", (after, before))
    assert ask("egress", "verify").json["fault"] == 5


def test_an_inserted_entry_is_found(chain: Path, ask: Ask) -> None:
    with tampering(chain) as connection:
        names = ", ".join([*COLUMNS])
        marks = ", ".join("?" * len(COLUMNS))
        connection.execute(f"insert into egress ({names}) values ({marks})", [*COLUMNS.values()])
    assert ask("egress", "verify").json["fault"] == 11


def test_a_shortened_chain_is_found_by_its_files_and_by_its_head(chain: Path, ask: Ask) -> None:
    head = ask("egress", "verify").json["head"]
    with tampering(chain) as connection:
        connection.execute("delete from egress where id > 8")
    said = ask("egress", "verify")
    assert said.code == 1 and len(said.json["missing"]) == 1 and said.json["fault"] is None
    with tampering(chain) as connection:
        connection.execute("delete from file_refs where file_id = 5")
        connection.execute("delete from files where id = 5")
    assert ask("egress", "verify").code == 0, "its files went with it"
    assert ask("egress", "verify", "--head", head).code == 1


def test_the_database_itself_refuses_a_change(chain: Path) -> None:
    with closing(sqlite3.connect(chain)) as connection:
        for statement in ("update egress set rows = 1", "delete from egress"):
            with pytest.raises(sqlite3.IntegrityError, match="only be added to"):
                connection.execute(statement)


def test_an_older_account_stays_valid_and_its_replies_move_out(tmp_path: Path) -> None:
    dump = Path(__file__).parents[1] / "jobs" / "schemas" / "0002.sql"
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.executescript(dump.read_text())
    ledger = Ledger(tmp_path)
    found = ledger.egress.verify(lambda _: True)
    assert found.ok and found.entries == 1
    known = ledger.evaluations.cached(["cd" * 32])
    assert known["cd" * 32].text == "what the model said"
    ledger.close()
    assert b"what the model said" not in (tmp_path / "ledger.db").read_bytes()


def test_evaluation_rows_are_in_the_account(
    vendor: Account, data: Path, project: Path, ask: Ask
) -> None:
    job = ask("submit", data, "--provider", "openai", "--yes", "--watch").json["job"]
    held_out = project / "held.jsonl"
    held_out.write_text(rows("quite another question", 3))
    before = len(ask("egress", "list").json["entries"])
    assert ask("eval", held_out, "--model", job, "--baseline", "base").code == 0
    asked = ask("egress", "list").json["entries"][before:]
    assert [(e["action"], e["rows"]) for e in asked] == [("asked", 3), ("asked", 3)]
    (project / "held.jsonl.ftbridge.toml").write_text('privacy = "restricted"\n')
    vendor.injector.requests.clear()
    said = ask("eval", held_out, "--model", job, "--baseline", "base")
    assert (said.code, said.json["error"]["code"]) == (5, "policy")
    assert vendor.injector.requests == []
    assert ask("egress", "verify").code == 0


def test_what_stays_here_is_not_in_it(project: Path) -> None:
    bridge = ftbridge.Bridge()
    assert list(bridge.egress()) == []
    bridge.ledger.close()
