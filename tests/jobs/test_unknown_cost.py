"""A price that nobody knows, with and without a monthly cap: an RL job, billed by the hour."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from emulated import Account
from jobs.conftest import Cli

from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.states import State


@pytest.fixture
def grader(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    path = tmp_path / "grader.json"
    content = {"type": "string_check", "name": "same", "operation": "eq",
               "input": "{{sample.output_text}}", "reference": "{{item.reference}}"}  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def _submit(grader: Path, name: str, *more: str) -> list[str]:
    data = grader.with_name(f"{name}.jsonl")
    rows = ({"messages": [{"role": "user", "content": f"{name} {number}"}], "reference": "yes"}
            for number in range(60))  # fmt: skip
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["submit", str(data), "--provider", "openai", "--method", "rl", "--yes",
            "--grader", str(grader), "--validation", "0.2", *more]  # fmt: skip


def _cap(grader: Path, usd: int) -> None:
    (grader.parent / "home" / "config.toml").write_text(f"[budget]\nmonthly_usd = {usd}\n")


def _held(grader: Path) -> list[int]:
    ledger = sqlite3.connect(grader.parent / "home" / "ledger.db")
    try:
        return [row[0] for row in ledger.execute("select micro_usd from reservations")]
    finally:
        ledger.close()


def test_under_a_cap_it_needs_a_bound(ftbridge: Cli, openai: Account, grader: Path) -> None:
    _cap(grader, 10)
    refused = ftbridge(*_submit(grader, "one"))
    assert refused.json["error"]["code"] == "unknown_cost", refused
    said = ftbridge(*_submit(grader, "one", "--allow-unknown-cost"))
    assert (said.code, said.json["error"]["code"]) == (5, "unknown_cost")
    assert "--max-usd" in said.json["error"]["hint"]
    assert openai.injector.requests == [] and ftbridge("jobs").json["jobs"] == []
    bound = ("--allow-unknown-cost", "--max-usd")
    assert ftbridge(*_submit(grader, "one", *bound, "6")).code == 0
    assert _held(grader) == [6_000_000]
    over = ftbridge(*_submit(grader, "two", *bound, "6"))
    assert (over.code, over.json["error"]["where"]) == (5, "budget.monthly_usd")
    assert ftbridge(*_submit(grader, "two", *bound, "4")).code == 0


def test_two_processes_race_with_it(openai: Account, grader: Path) -> None:
    _cap(grader, 10)
    bound = ("--allow-unknown-cost", "--max-usd", "6")
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "ftbridge", *_submit(grader, name, *bound), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ,
        )
        for name in ("one", "two")
    ]
    said = [process.communicate(timeout=90) for process in both]
    assert sorted(process.returncode for process in both) == [0, 5], said
    assert len(openai.store.jobs) == 1 and _held(grader) == [6_000_000]


def test_without_a_cap_nothing_is_held_until_the_bill(
    ftbridge: Cli, openai: Account, grader: Path
) -> None:
    job = ftbridge(*_submit(grader, "one", "--allow-unknown-cost")).json["job"]
    assert _held(grader) == []
    ledger = Ledger(grader.parent / "home")
    ledger.jobs.move(job, State.SUCCEEDED, billed_micro=1_230_000)
    ledger.close()
    assert _held(grader) == [1_230_000]
