"""kill -9 around every call of a submit to Fireworks, whose upload is two of them and whose price
is asked for after the create, and around the commits that tell whether its job exists: afterwards
`ftbridge resume` ends with one remote job and two datasets. The commits that all vendors share are
OpenAI's matrix. Nothing is searched in lists, so none can lag."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, When, param, revive, strike
from fireworks_sandbox import Account, account

CALLS: dict[str, Call] = {
    "may be tuned": ("GET", r"/models/[^/]+$", 0),
    "record training": ("POST", r"/datasets$", 0),
    "send training": ("POST", r":upload$", 0),
    "record validation": ("POST", r"/datasets$", 1),
    "send validation": ("POST", r":upload$", 1),
    "see training dataset": ("GET", r"/datasets/[^/]+$", 0),
    "see validation dataset": ("GET", r"/datasets/[^/]+$", 1),
    "create": ("POST", r"FineTuningJobs$", 0),
    "read the price": ("GET", r"FineTuningJobs/[^/]+$", 0),
}
CASES = [
    *(("commit", point) for point in CREATE_POINTS),
    *((f"call {when}", name) for name in CALLS for when in WHEN),
]
FAST = {
    ("commit", "start.create:after"), ("commit", "adopt:before"), ("call before", "create"),
    ("call after", "create"), ("call instead", "create"), ("call after", "record training"),
    ("call after", "read the price"),
}  # fmt: skip


@pytest.fixture(scope="module")
def fireworks() -> Iterator[Account]:
    with account() as made:
        yield made


def _check(fireworks: Account, home: Path, job: str) -> None:
    (remote,) = fireworks.store.jobs.values()
    names = {f"accounts/sandbox/datasets/{name}" for name in fireworks.uploaded()}
    assert names == {remote.body["dataset"], remote.body["evaluationDataset"]}
    assert len(fireworks.store.datasets) == 2 and remote.cancelled_at is None
    with sqlite3.connect(home / "ledger.db") as ledger:
        rows = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        name = f"accounts/sandbox/supervisedFineTuningJobs/{remote.id}"
        assert rows == [(job, name, remote.id, None, 0)]
        assert {row[0] for row in ledger.execute("select remote_id from files")} == names
        assert ledger.execute("select count(*) from reservations").fetchone() == (1,)
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


def _submit(data: tuple[Path, Path]) -> list[str]:
    train, valid = map(str, data)
    return ["submit", train, "--provider", "fireworks", "--validation", valid,
            "--max-usd", "50", "--yes", "--json"]  # fmt: skip


@pytest.mark.parametrize(("kind", "point"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, fireworks: Account, data: tuple[Path, Path], tmp_path: Path,
    kind: str, point: str,
) -> None:  # fmt: skip
    fireworks.reset()
    env, submit = fireworks.env(tmp_path), _submit(data)
    strike(children, fireworks.injector, CALLS, kind, point, submit, env)
    _check(fireworks, tmp_path, revive(children, env, submit))


@pytest.mark.parametrize(
    "when", [pytest.param(w, id=f"stop_{w}", marks=pytest.mark.long) for w in WHEN]
)
def test_killed_while_a_dear_job_is_stopped(
    children: Children, fireworks: Account, data: tuple[Path, Path], tmp_path: Path, when: When
) -> None:
    """However it was cut off, the job that costs too much does not train."""
    fireworks.reset().usd_per_million = 1_000_000.0
    env, submit = fireworks.env(tmp_path), _submit(data)
    calls: dict[str, Call] = {"cancel": ("POST", r":cancel$", 0)}
    strike(children, fireworks.injector, calls, f"call {when}", "cancel", submit, env)
    (listed,) = children.run(["jobs", "--json"], env).json()["jobs"]
    resumed = children.run(["resume", listed["job"], "--json"], env)
    assert resumed.code == 5 and resumed.json()["error"]["code"] == "over_budget", resumed
    (remote,) = fireworks.store.jobs.values()
    assert remote.cancelled_at is not None
