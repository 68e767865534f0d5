"""kill -9 around every call of a submit to Bedrock, whose data goes to S3 first, and around the
commits that tell whether its job exists: afterwards `ftbridge resume` ends with one remote job and
two objects. The job is found by its name, so no list can lag. The commits that all vendors share
are OpenAI's matrix."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from bedrock_sandbox import Account, account
from crash.conftest import Children
from crash.recovery import CREATE_POINTS, WHEN, Call, param, revive, strike

CALLS: dict[str, Call] = {
    "model lives": ("GET", r"^/foundation-models/", 0),
    "send training": ("PUT", r"/ftbridge/data/", 0),
    "send validation": ("PUT", r"/ftbridge/data/", 1),
    "see training object": ("HEAD", r"/ftbridge/data/", 0),
    "see validation object": ("HEAD", r"/ftbridge/data/", 1),
    "create": ("POST", r"^/model-customization-jobs$", 0),
}
CASES = [
    *(("commit", point) for point in CREATE_POINTS),
    *((f"call {when}", name) for name in CALLS for when in WHEN),
]
FAST = {
    ("commit", "adopt:before"), ("call after", "create"), ("call instead", "create"),
    ("call after", "send training"),
}  # fmt: skip


@pytest.fixture(scope="module")
def bedrock() -> Iterator[Account]:
    with account() as made:
        yield made


def _check(bedrock: Account, home: Path, job: str) -> None:
    (remote,) = bedrock.store.jobs.values()
    names = {f"s3://{bedrock.bucket}/{key}" for key in bedrock.uploaded()}
    body = remote.body
    (validator,) = body["validationDataConfig"]["validators"]
    assert names == {body["trainingDataConfig"]["s3Uri"], validator["s3Uri"]}
    assert len(names) == 2 and remote.stopped_at is None
    with sqlite3.connect(home / "ledger.db") as ledger:
        rows = ledger.execute("select id, remote_id, key, error, stopping from jobs").fetchall()
        assert rows == [(job, remote.arn, body["jobName"], None, 0)]
        assert body["clientRequestToken"] == body["jobName"]
        assert {row[0] for row in ledger.execute("select remote_id from files")} == names
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    ledger.close()


@pytest.mark.parametrize(("kind", "point"), [param(case, FAST) for case in CASES])
def test_killed_once(
    children: Children, bedrock: Account, data: tuple[Path, Path], tmp_path: Path,
    kind: str, point: str,
) -> None:  # fmt: skip
    bedrock.reset()
    env = bedrock.env(tmp_path)
    train, valid = map(str, data)
    submit = ["submit", train, "--provider", "bedrock", "--validation", valid,
              "--max-usd", "50", "--yes", "--json"]  # fmt: skip
    strike(children, bedrock.injector, CALLS, kind, point, submit, env)
    _check(bedrock, tmp_path, revive(children, env, submit))
