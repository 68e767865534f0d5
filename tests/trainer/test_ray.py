"""Ray Train starts the workers: they compute what torchrun's do, and a lost one is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from .conftest import read, read_lines
from .test_world import PACKAGES, finish, prepare, same, together

pytest.importorskip("ray.train")
pytestmark = pytest.mark.long  # each test starts a Ray cluster
Run = Callable[..., Path]


def on_ray(run: Path) -> subprocess.Popen[bytes]:
    environment = {name: text for name, text in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.Popen(
        [sys.executable, "-m", "ftbridge_trainer.on_ray", str(run)],
        env=environment | {"PYTHONPATH": str(PACKAGES), "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.mark.parametrize("keys", [{"packing": True}, {"method": "dpo"}], ids=["sft", "dpo"])
def test_two_workers_are_as_two_of_torchruns(new_run: Run, keys: dict[str, object]) -> None:
    one = prepare(new_run, "torchrun", **keys)
    two = prepare(new_run, "ray", engine="ray", workers=2, **keys)
    assert finish(together(one))[0] == 0
    code, said = finish(on_ray(two))
    assert code == 0, said
    assert read(two / "status.json")["state"] == "succeeded"
    same(one, two)
    assert not (two / ".ray").exists()


def _workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Ray names its processes after what they run."""
    family = psutil.Process(process.pid).children(recursive=True)
    return [p for p in family if "RayTrainWorker" in " ".join(p.cmdline())]


def test_a_killed_worker_is_replaced_and_the_run_goes_on(new_run: Run) -> None:
    keys = {"n_epochs": 60, "checkpoint_steps": 4}
    straight = prepare(new_run, "straight", **keys)
    killed = prepare(new_run, "killed", engine="ray", workers=2, **keys)
    process = on_ray(killed)
    deadline = time.monotonic() + 250
    while not list((killed / "checkpoints").glob("step-*/complete.json")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    first = int(read(killed / "status.json")["pid"])
    (other,) = [p for p in _workers(process) if p.pid != first]
    os.kill(other.pid, signal.SIGKILL)
    code, said = finish(process)
    assert code == 0, said
    assert read(killed / "status.json")["state"] == "succeeded"
    types = [event["type"] for event in read_lines(killed / "events.jsonl")]
    assert "resumed" in types
    assert "failed" not in types
    assert finish(together(straight))[0] == 0
    same(straight, killed)


def test_what_cannot_run_is_said_once_and_not_tried_again(new_run: Run) -> None:
    run = prepare(new_run, "run", engine="ray", workers=2, max_length=8)
    assert finish(on_ray(run))[0] == 1
    status = read(run / "status.json")
    assert (status["state"], status["error"]["code"]) == ("failed", "example_too_long")
    types = [event["type"] for event in read_lines(run / "events.jsonl")]
    assert types.count("failed") == 1
