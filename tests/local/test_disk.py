"""What runs take on the disk: bounded, and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ftbridge
from ftbridge.job import Job
from ftbridge.testing.tiny_model import build
from ftbridge_local import disk
from ftbridge_local.disk import require_room

pytestmark = pytest.mark.training


def _run(runs: Path, key: str, size: int, state: str = "succeeded") -> Path:
    (runs / key / "adapter").mkdir(parents=True)
    (runs / key / "adapter" / "weights").write_bytes(b"0" * size)
    (runs / key / "status.json").write_text(json.dumps({"state": state}))
    return runs / key


def test_a_full_disk_names_what_to_remove(tmp_path: Path) -> None:
    require_room(tmp_path, "1", "ftb-new")
    _run(tmp_path, "ftb-small", 1000)
    _run(tmp_path, "ftb-large", 40_000_000)
    _run(tmp_path, "ftb-going", 1000, "paused")
    require_room(tmp_path, "0.1", "ftb-new")
    require_room(tmp_path, None, "ftb-new")
    require_room(tmp_path, "0.01", "ftb-going")  # it has begun, and goes on
    with pytest.raises(ftbridge.OperationFailed) as refused:
        require_room(tmp_path, "0.01", "ftb-new")
    said = refused.value
    assert said.code == "disk_quota"
    assert "take 0.04 GB" in said.message
    assert said.message.index("ftb-large (0.04 GB)") < said.message.index("ftb-small")
    assert "ftb-going" not in said.message
    with pytest.raises(ftbridge.UsageError, match="no number"):
        require_room(tmp_path, "much", "ftb-new")


def test_only_what_runs_made_is_removed(tmp_path: Path) -> None:
    folder = _run(tmp_path / "runs", "ftb-1", 10)
    with pytest.raises(ftbridge.UsageError, match="no run here"):
        disk.remove_weights(tmp_path / "models" / "base", tmp_path / "runs")
    disk.remove_weights(folder / "adapter", tmp_path / "runs")
    disk.remove_weights(folder / "adapter", tmp_path / "runs")  # gone already
    assert not (folder / "adapter").exists()
    assert (folder / "status.json").exists()
    disk.remove_run(folder)
    disk.remove_run(folder)
    assert not folder.exists()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    data = tmp_path / "train.jsonl"
    rows = (
        {"messages": [{"role": "user", "content": f"q {n}"}, {"role": "assistant", "content": "a"}]}
        for n in range(8)
    )
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bridge = ftbridge.Bridge(tmp_path / "home")
    plan = bridge.plan(
        data, provider="local", model=str(build(tmp_path / "tiny")), adapter="lora", n_epochs=1,
        options={"compute_dtype": "fp32", "threads": "1", "packing": "false"},
    )  # fmt: skip
    return bridge.submit(plan).wait(0.05)


@pytest.mark.long
def test_a_job_is_deleted_weights_first_then_its_run(tmp_path: Path, job: Job) -> None:
    bridge = ftbridge.Bridge(tmp_path / "home")
    folder = Path(str(job.model)).parent
    assert bridge.delete_model(job.id) == job.model
    assert not (folder / "adapter").exists() and not (folder / "checkpoints").exists()
    assert (folder / "metrics.jsonl").exists()
    job.delete()
    assert not folder.exists()
    assert bridge.job(job.id).state == "succeeded"  # the ledger keeps it
