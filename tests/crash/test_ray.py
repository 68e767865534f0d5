"""kill -9 around every call of a submit to a real Ray head, and around the commits that tell
whether its job exists: afterwards `ftbridge resume` ends with one job and two files."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, param, revive, strike
from ray_head import TOKEN, Head, head

from ftbridge.testing.proxy import Injector

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
CALLS: dict[str, Call] = {
    "create": ("POST", r"/api/jobs/$", 0),
    "read it": ("GET", r"/api/jobs/ftb-", 0),
}
CASES = [
    *(("commit", point) for point in CREATE_POINTS),
    *((f"call {when}", name) for name in CALLS for when in WHEN),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Head, Injector, str]]:
    with head() as made:
        injector = Injector(made.url)
        with injector.serve() as url:
            yield made, injector, url


def _jobs(url: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{url}/api/jobs/", headers=headers)
    ) as said:
        return json.loads(said.read())  # type: ignore[no-any-return]


@pytest.mark.parametrize(("kind", "point"), [param(case, set()) for case in CASES])
def test_killed_once(
    children: Children, cluster: tuple[Head, Injector, str], data: tuple[Path, Path],
    tmp_path: Path, kind: str, point: str,
) -> None:  # fmt: skip
    made, injector, url = cluster
    injector.heal()
    train, valid = map(str, data)
    storage = made.storage / uuid.uuid4().hex  # a part of the key: each case has a job of its own
    storage.mkdir()
    submit = ["submit", train, "--provider", "ray", "--validation", valid, "--allow-unknown-cost",
              "--option", f"storage={storage}", "--option", f"python={made.python}",
              "--option", "gpus=0", "--yes", "--json"]  # fmt: skip
    env = made.env(tmp_path, RAY_API_SERVER_ADDRESS=url)
    known = {row["submission_id"] for row in _jobs(made.url)}
    strike(children, injector, CALLS, kind, point, submit, env)
    job = revive(children, env, submit)
    (remote,) = {row["submission_id"] for row in _jobs(made.url)} - known
    assert len(list((storage / "files").iterdir())) == 2
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        rows = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert rows == [(job, remote, remote, None, 0)]
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()
    (storage / "jobs" / remote / "out").mkdir(parents=True, exist_ok=True)
    (storage / "jobs" / remote / "out" / "finish").touch()  # so that it does not wait for ever
