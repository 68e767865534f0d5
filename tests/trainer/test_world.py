"""Two processes that train together compute what one computes alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from ftbridge_trainer.__main__ import main

from .conftest import chat, read, read_lines, write_rows

pytestmark = pytest.mark.long  # each test starts several processes that load torch

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")
Run = Callable[..., Path]
PACKAGES = Path(__file__).parents[2] / "local_backend"
KEYS: dict[str, Any] = {"rows": 13, "lora_dropout": 0.0, "n_epochs": 3, "validation": "valid.jsonl",
                        "eval_steps": 2}  # fmt: skip


def together(run: Path, workers: int = 2) -> subprocess.Popen[bytes]:
    """The processes, as torchrun starts them."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={workers}"]
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", "ftbridge_trainer", str(run)],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=300)
    return process.returncode, said.decode()


def preference(i: int) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": f"Is card {i} here?" + " please" * (i % 3)}],
        "chosen": [{"role": "assistant", "content": "Yes."}],
        "rejected": [{"role": "assistant", "content": f"No, card {i} is not."}],
    }


def prepare(new_run: Run, name: str, **keys: Any) -> Path:
    run = new_run(name, **(KEYS | keys))
    if keys.get("method") == "dpo":
        write_rows(run / "train.jsonl", [preference(i) for i in range(13)])
        write_rows(run / "valid.jsonl", [preference(i) for i in range(30, 33)])
    else:
        write_rows(run / "valid.jsonl", [chat(f"Where is card {i}?", "Here.") for i in range(3)])
    return run


def same(one: Path, other: Path) -> None:
    """Weights and every measured value; the last window of an epoch holds a single example."""
    weights = [
        safetensors.load_file(run / "adapter" / "adapter_model.safetensors") for run in (one, other)
    ]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, atol=1e-5, rtol=1e-5)
    aside = {"time", "tokens_per_second"}
    for row, theirs in zip(
        *(read_lines(run / "metrics.jsonl") for run in (one, other)), strict=True
    ):
        assert row.keys() == theirs.keys()
        for key in row.keys() - aside:
            assert theirs[key] == pytest.approx(row[key], abs=1e-4), key


@pytest.mark.parametrize(
    "keys",
    [{"packing": True}, {"method": "dpo"}, {"adapter": "qlora"}],
    ids=["sft", "dpo", "qlora"],
)
def test_two_are_as_one(new_run: Run, keys: dict[str, Any]) -> None:
    one, two = (prepare(new_run, name, **keys) for name in ("one", "two"))
    assert main([str(one)]) == 0
    code, said = finish(together(two))
    assert code == 0, said
    assert read(two / "status.json")["state"] == "succeeded"
    same(one, two)


def test_a_killed_worker_ends_the_run_and_it_goes_on(new_run: Run) -> None:
    keys = {"n_epochs": 30, "checkpoint_steps": 4}
    straight, killed = (prepare(new_run, name, **keys) for name in ("straight", "killed"))
    process = together(killed)
    deadline = time.monotonic() + 200
    while not list((killed / "checkpoints").glob("step-*/complete.json")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    first = int(read(killed / "status.json")["pid"])
    workers = [p for p in psutil.Process(process.pid).children() if p.pid != first]
    os.kill(workers[0].pid, signal.SIGKILL)
    assert finish(process)[0] != 0
    assert not (killed / "result.json").exists()
    assert finish(together(killed))[0] == 0
    assert finish(together(straight))[0] == 0
    assert "resumed" in [event["type"] for event in read_lines(killed / "events.jsonl")]
    same(straight, killed)


def test_a_request_to_stop_reaches_all(new_run: Run) -> None:
    run = prepare(new_run, "run", n_epochs=500)
    process = together(run)
    deadline = time.monotonic() + 200
    while not (run / "metrics.jsonl").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    (run / "pause").touch()
    code, said = finish(process)
    assert code == 0, said
    assert read(run / "status.json")["state"] == "paused"
