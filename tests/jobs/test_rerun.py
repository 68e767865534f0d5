"""The same job on new data, remembered as its child."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def test_new_data_and_all_else_as_it_was(
    bridge: ftbridge.Bridge, tmp_path: Path, vendor: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = bridge.plan(
        write_chats(tmp_path / "old.jsonl", "old"), provider="openai", n_epochs=2, seed=7,
        suffix="desk", model="gpt-4.1-mini-2025-04-14",
    )  # fmt: skip
    job = bridge.submit(plan).wait(0.05)
    new = write_chats(tmp_path / "new.jsonl", "new", count=40)
    assert run(["rerun", job.id, "--data", str(new), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["submit"].startswith(f"ftbridge rerun {job.id} --data ")
    assert len(vendor.store.jobs) == 1, "only planned"
    assert run(["rerun", job.id, "--data", str(new), "--n-epochs", "3", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    child = bridge.job(told["job"])
    assert child.row.parent_job == job.id and child.to_dict()["parent_job"] == job.id
    before, after = plan.spec, child.plan.spec
    assert (after.model, after.seed, after.suffix) == (before.model, 7, "desk")
    assert after.hyperparameters.n_epochs == 3 and after.training.examples == 40
    changed = {change["name"] for change in told["changes"]}
    assert {"training", "n_epochs"} & changed and "model" not in changed
    assert len(vendor.store.jobs) == 2


def test_new_data_has_to_be_named(bridge: ftbridge.Bridge, tmp_path: Path, vendor: Account) -> None:
    job = bridge.submit(
        bridge.plan(write_chats(tmp_path / "old.jsonl", "old"), provider="openai")
    ).wait(0.05)
    assert run(["rerun", job.id]) == 2
    assert run(["rerun", job.id, "--data", str(tmp_path / "none.jsonl")]) == 3
    assert run(["rerun", "job_none", "--data", str(tmp_path / "old.jsonl")]) == 2
    assert len(vendor.store.jobs) == 1
