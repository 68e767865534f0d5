"""kill -9 at every commit of a submit and around every call to the vendor, lists lagging or not:
afterwards `ftbridge resume` ends with one remote job and one set of files."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from crash.conftest import Children
from crash.recovery import WHEN, Call, When, param, revive, strike
from emulated import Account

from ftbridge.testing.faults import Does

STEPS = ("convert", "upload_training", "upload_validation", "wait_files", "create")
COMMITS = [
    "intend", "start.convert", "rows", "finish.convert",
    "start.upload_training", "record.training", "finish.upload_training",
    "start.upload_validation", "record.validation", "finish.upload_validation",
    "start.wait_files", "finish.wait_files", "start.create", "finish.create", "adopt",
]  # fmt: skip
BOUNDARIES = [f"{commit}:{when}" for commit in COMMITS for when in ("before", "after")]
CALLS: dict[str, Call] = {
    "upload training": ("POST", r"/files$", 0),
    "upload validation": ("POST", r"/files$", 1),
    "see training file": ("GET", r"/files/[^/]+$", 0),
    "see validation file": ("GET", r"/files/[^/]+$", 1),
    "create": ("POST", r"/jobs$", 0),
}
LAGGED = {"lists lag": 0.3, "lists are prompt": 0.0}

Case = tuple[str, str, str]
CASES: list[Case] = [
    *(("commit", point, lag) for point in BOUNDARIES for lag in LAGGED),
    # before: the request still arrives, after its sender has died; instead: it never does
    *((f"call {when}", name, lag) for name in CALLS for when in WHEN for lag in LAGGED),
]
FAST = {
    ("commit", "start.create:after", "lists lag"),
    ("commit", "record.training:before", "lists lag"),
    ("commit", "adopt:before", "lists are prompt"),
    ("call before", "create", "lists lag"),
    ("call after", "create", "lists lag"),
    ("call instead", "create", "lists lag"),
    ("call after", "upload training", "lists lag"),
}


def _submit(data: tuple[Path, Path]) -> list[str]:
    train, valid = map(str, data)
    return ["submit", train, "--provider", "openai", "--validation", valid, "--yes", "--json"]


def _env(openai: Account, home: Path, lag: str) -> dict[str, str]:
    openai.reset().list_lag = LAGGED[lag]
    # Room for a loaded machine: a list that lags must never lag longer than the window.
    return openai.env(home, FTBRIDGE_OPENAI_SETTLE_SECONDS="0.9" if LAGGED[lag] else "0.1")


def _check(openai: Account, home: Path, job: str) -> None:
    remote = list(openai.store.jobs.values())
    assert len(remote) == 1, [one.metadata for one in remote]
    files = [file for file in openai.store.files.values() if file.purpose == "fine-tune"]
    assert len(files) == 2 and len({file.content for file in files}) == 2
    with sqlite3.connect(home / "ledger.db") as ledger:
        rows = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert rows == [(job, remote[0].id, (remote[0].metadata or {})["ftbridge_key"], None, 0)]
        steps = dict(ledger.execute("select name, state from steps"))
        assert {steps[name] for name in (*STEPS, "adopt")} == {"done"}
        known = {row[0] for row in ledger.execute("select remote_id from files")}
        assert known == {file.id for file in files} == {remote[0].training_file,
                                                        remote[0].validation_file}  # fmt: skip
        sent = ledger.execute("select count(*) from egress where action = 'sent'")
        assert sent.fetchone() == (2,)
        assert ledger.execute("select count(*) from reservations").fetchone() == (1,)
        assert ledger.execute("select count(*) from training_rows").fetchone() == (12,)
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


@pytest.mark.parametrize(("kind", "point", "lag"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, openai: Account, data: tuple[Path, Path], tmp_path: Path,
    kind: str, point: str, lag: str,
) -> None:  # fmt: skip
    env, home = _env(openai, tmp_path, lag), tmp_path
    strike(children, openai.injector, CALLS, kind, point, _submit(data), env)
    _check(openai, home, revive(children, env, _submit(data)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(first, second, id=f"{first}-{second}", marks=pytest.mark.long)
        for first, second in pairwise(
            ["start.create:after", "adopt:before", "finish.create:before", "adopt:after",
             "record.validation:before", "finish.upload_validation:before",
             "start.wait_files:after",
             "start.create:before", "adopt:before"]
        )
    ],
)  # fmt: skip
def test_killed_twice(
    children: Children, openai: Account, data: tuple[Path, Path], tmp_path: Path,
    first: str, second: str,
) -> None:  # fmt: skip
    env = _env(openai, tmp_path, "lists lag")
    assert children.run(_submit(data), env, crash=first).code == -9
    job = children.run(["jobs", "--json"], env).json()["jobs"][0]["job"]
    children.run(["resume", job, "--json"], env, crash=second)
    _check(openai, tmp_path, revive(children, env, _submit(data)))


@pytest.mark.parametrize("when", WHEN)
def test_killed_while_searching(
    children: Children, openai: Account, data: tuple[Path, Path], tmp_path: Path,
    when: When,
) -> None:  # fmt: skip
    env = _env(openai, tmp_path, "lists lag")
    openai.injector.on("POST", r"/jobs$", Does(children.kill, "after"))
    assert children.run(_submit(data), env).code == -9
    openai.injector.heal()
    openai.injector.on("GET", r"/jobs$", Does(children.kill, when))
    job = children.run(["jobs", "--json"], env).json()["jobs"][0]["job"]
    assert children.run(["resume", job], env).code == -9
    openai.injector.heal()
    _check(openai, tmp_path, revive(children, env, _submit(data)))


def test_no_boundary_is_forgotten(
    children: Children, openai: Account, data: tuple[Path, Path], tmp_path: Path
) -> None:
    env = _env(openai, tmp_path, "lists are prompt")
    assert children.run(_submit(data), env).code == 0
    assert sorted(children.points()) == sorted(BOUNDARIES)
    seen = [(method, path.split("?")[0]) for method, path in openai.injector.requests]
    assert [method for method, _ in seen] == ["POST", "POST", "GET", "GET", "POST"]
