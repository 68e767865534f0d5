"""kill -9 around every call of a submit to Hugging Face Jobs: the bucket and its privacy, two data
files and the bundle into it, the job. Afterwards `ftbridge resume` ends with one remote job, two
files and one private bucket. The commits that all vendors share are OpenAI's matrix."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, param, revive, strike
from huggingface_place import Account, hub

CALLS: dict[str, Call] = {
    "hardware": ("GET", r"/api/jobs/hardware$", 0),
    "who am I": ("GET", r"/api/whoami-v2$", 0),
    "make the bucket": ("POST", r"/api/buckets/sandbox/ftbridge$", 0),
    "read it back": ("GET", r"/api/buckets/sandbox/ftbridge$", 1),
    "send training": ("POST", r"/batch$", 0),
    "send validation": ("POST", r"/batch$", 1),
    "see training": ("POST", r"/paths-info$", 0),
    "see validation": ("POST", r"/paths-info$", 1),
    "stage the trainer": ("POST", r"/batch$", 2),
    "stage the recipe": ("POST", r"/batch$", 4),
    "create": ("POST", r"/api/jobs/sandbox$", 0),
}
CASES = [
    *(("commit", point) for point in CREATE_POINTS),
    *((f"call {when}", name) for name in CALLS for when in WHEN),
]
FAST = {("call before", "create"), ("call after", "create")}


@pytest.fixture(scope="module")
def place() -> Iterator[Account]:
    with hub() as made:
        yield made


def _check(place: Account, home: Path, job: str) -> None:
    (remote,) = place.store.jobs.values()
    (bucket,) = place.store.buckets.values()
    assert bucket.private and remote.stage == "SCHEDULING"
    key = remote.labels["ftbridge_key"]
    staged = bucket.files(f"jobs/{key}/in")
    assert {path.name for path in staged} == {"trainer.zip", "requirements.txt", "recipe.json"}
    names = {f"hf://buckets/sandbox/ftbridge/files/{path.name}" for path in place.uploaded()}
    with sqlite3.connect(home / "ledger.db") as ledger:
        rows = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert rows == [(job, remote.id, key, None, 0)]
        sent = {row[0] for row in ledger.execute("select remote_id from files")}
        assert sent == names and len(names) == 2
        assert ledger.execute("select count(*) from reservations").fetchone() == (1,)
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


@pytest.mark.parametrize(("kind", "point"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, place: Account, data: tuple[Path, Path], tmp_path: Path,
    kind: str, point: str,
) -> None:  # fmt: skip
    place.reset()
    train, valid = map(str, data)
    submit = ["submit", train, "--provider", "huggingface", "--validation", valid,
              "--max-usd", "50", "--yes", "--json"]  # fmt: skip
    env = place.env(tmp_path)
    strike(children, place.injector, CALLS, kind, point, submit, env)
    _check(place, tmp_path, revive(children, env, submit))
