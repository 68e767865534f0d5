"""kill -9 at every commit of a submit to this machine and around everything that it does there:
afterwards `ftbridge resume` ends with one run, trained once, from one set of files."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from crash.conftest import HERE, Children

COMMITS = [
    "intend", "start.convert", "rows", "finish.convert",
    "start.upload_training", "copy.training", "record.training", "finish.upload_training",
    "start.upload_validation", "copy.validation", "record.validation", "finish.upload_validation",
    "start.wait_files", "finish.wait_files", "start.create", "run.recipe", "run.start",
    "finish.create", "adopt",
]  # fmt: skip
BOUNDARIES = [f"{commit}:{when}" for commit in COMMITS for when in ("before", "after")]
POINTS = [*BOUNDARIES, "run.pid:before"]  # that one: the trainer runs, and nobody knows its number
FAST = {"run.pid:before", "run.start:before", "adopt:before", "copy.training:after"}
SECONDS = 20.0


def _submit(data: tuple[Path, Path], model: Path) -> list[str]:
    train, valid = map(str, data)
    return ["submit", train, "--provider", "local", "--validation", valid, "--model", str(model),
            "--adapter", "lora", "--option", "threads=1", "--json"]  # fmt: skip


@pytest.mark.parametrize(
    "point",
    [pytest.param(p, id=p, marks=[] if p in FAST else [pytest.mark.long]) for p in POINTS],
)
def test_killed_once(
    children: Children, data: tuple[Path, Path], model: Path, tmp_path: Path, point: str
) -> None:
    env = {"FTBRIDGE_HOME": str(tmp_path), "FTBRIDGE_LOCAL_POLL_SECONDS": "0.05"}
    path = [str(HERE / "fake_trainer")]
    submit = _submit(data, model)
    killed = children.run(submit, env, crash=point, path=path)
    assert killed.code == -9, killed
    listed = children.run(["jobs", "--json"], env).json()["jobs"]
    if not listed:  # killed before the intent was there: nothing was promised
        assert children.run(submit, env, path=path).code == 0
    job = children.run(["jobs", "--json"], env).json()["jobs"][0]["job"]
    _finish(children, env, path, job)
    _check(tmp_path, job)


def _finish(children: Children, env: dict[str, str], path: list[str], job: str) -> None:
    """`resume` until it has succeeded: once, unless the trainer died with its parent's order."""
    deadline = time.monotonic() + SECONDS
    while True:
        revived = children.run(["resume", job, "--json"], env, path=path)
        assert (revived.code, revived.err) == (0, "")
        if revived.json()["state"] == "succeeded":
            return
        assert time.monotonic() < deadline, revived
        time.sleep(0.05)


def _check(home: Path, job: str) -> None:
    runs = list((home / "local" / "runs").iterdir())
    assert len(runs) == 1
    assert (runs[0] / "trained.txt").read_text() == "once\n"
    assert len(list((home / "local" / "files").glob("ftbridge-*.jsonl"))) == 2
    with sqlite3.connect(home / "ledger.db") as ledger:
        rows = ledger.execute("select id, remote_id, key, state, error from jobs").fetchall()
        assert rows == [(job, runs[0].name, runs[0].name, "succeeded", None)]
        assert ledger.execute("select count(*) from files").fetchone() == (2,)
        assert ledger.execute("select count(*) from egress").fetchone() == (0,)
        assert ledger.execute("select count(*) from steps where state != 'done'").fetchone() == (0,)
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


def test_no_boundary_is_forgotten(
    children: Children, data: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    env = {"FTBRIDGE_HOME": str(tmp_path)}
    made = children.run(_submit(data, model), env, path=[str(HERE / "fake_trainer")])
    assert made.code == 0, made
    assert sorted(children.points()) == sorted(POINTS)
    _finish(children, env, [str(HERE / "fake_trainer")], made.json()["job"])
