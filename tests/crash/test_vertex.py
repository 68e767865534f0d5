"""kill -9 around every call of a submit to Vertex AI, whose data goes to a bucket first, and around
the commits that tell whether its job exists: afterwards `ftbridge resume` ends with one remote job
and two objects, with lists that lag too. The commits that all vendors share are OpenAI's matrix."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, param, revive, strike
from vertex_sandbox import Project, project

CALLS: dict[str, Call] = {
    "send training": ("POST", r"^/upload/", 0),
    "send validation": ("POST", r"^/upload/", 1),
    "see training object": ("GET", r"^/storage/.*/o/", 0),
    "see validation object": ("GET", r"^/storage/.*/o/", 1),
    "create": ("POST", r"/tuningJobs$", 0),
}
LAGGED = {"lists lag": 0.3, "lists are prompt": 0.0}
CASES = [
    *(("commit", point, lag) for point in CREATE_POINTS for lag in LAGGED),
    *((f"call {when}", name, lag) for name in CALLS for when in WHEN for lag in LAGGED),
]
FAST = {
    ("commit", "adopt:before", "lists are prompt"),
    ("call after", "create", "lists lag"),
    ("call instead", "create", "lists lag"),
    ("call after", "send training", "lists are prompt"),
}


@pytest.fixture(scope="module")
def vertex() -> Iterator[Project]:
    with project() as made:
        yield made


def _check(vertex: Project, home: Path, job: str) -> None:
    (remote,) = vertex.store.jobs.values()
    names = set(vertex.uploaded())
    spec = remote.spec
    assert names == {spec["trainingDatasetUri"], spec["validationDatasetUri"]}
    assert len(names) == 2 and remote.cancelled_at is None
    with sqlite3.connect(home / "ledger.db") as ledger:
        (row,) = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert row[0] == job and row[1].endswith(f"/tuningJobs/{remote.id}")
        assert row[2:] == (remote.body["labels"]["ftbridge"], None, 0)
        assert {row[0] for row in ledger.execute("select remote_id from files")} == names
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


@pytest.mark.parametrize(("kind", "point", "lag"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, vertex: Project, data: tuple[Path, Path], tmp_path: Path,
    kind: str, point: str, lag: str,
) -> None:  # fmt: skip
    vertex.reset().list_lag = LAGGED[lag]
    # Room for a loaded machine: a list that lags must never lag longer than the window.
    settle = "1.5" if LAGGED[lag] else "0.1"
    env = vertex.env(tmp_path, FTBRIDGE_VERTEX_SETTLE_SECONDS=settle)
    train, valid = map(str, data)
    submit = ["submit", train, "--provider", "vertex", "--validation", valid,
              "--allow-unknown-cost", "--yes", "--json"]  # fmt: skip
    strike(children, vertex.injector, CALLS, kind, point, submit, env)
    _check(vertex, tmp_path, revive(children, env, submit))
