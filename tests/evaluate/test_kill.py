"""kill -9 in the middle of an evaluation, by the real command: no call is paid twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.testing.faults import Answers, Delay

pytestmark = pytest.mark.long

N = 30
CHAT = r"/chat/completions$"


def _asked(vendor: Account) -> list[str]:
    """Each call that the emulator has carried out, as text."""
    calls = [r for r in vendor.store.requests if r.path == "/v1/chat/completions"]
    return [json.dumps(call.body, sort_keys=True) for call in calls]


def _words(held: Path, job: ftbridge.Job) -> list[str]:
    return [sys.executable, "-m", "ftbridge", "eval", str(held), "--model", job.id, "--json"]


def _until(vendor: Account, calls: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while len(_asked(vendor)) < calls:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)


def _again(held: Path, job: ftbridge.Job) -> dict[str, Any]:
    done = subprocess.run(_words(held, job), capture_output=True, timeout=120, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("after", [3, 40])
def test_no_call_is_paid_twice(job: ftbridge.Job, held: Path, vendor: Account, after: int) -> None:
    """Killed while calls are under way (at the baseline, at the tuned model), and run at once."""
    vendor.injector.on("POST", CHAT, Delay(0.15), times=None)
    with subprocess.Popen(_words(held, job), stdout=subprocess.DEVNULL) as process:
        _until(vendor, after, process)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    told = _again(held, job)
    asked = _asked(vendor)
    assert len(asked) == len(set(asked)) == 2 * N
    assert told["n"] == N and told["verdict"] == "better"
    assert told["baseline"]["calls"] == told["tuned"]["calls"] == N
    assert _again(held, job)["usd"]["paid"] == 0 and len(_asked(vendor)) == 2 * N


def test_two_at_once_ask_each_question_once(job: ftbridge.Job, held: Path, vendor: Account) -> None:
    vendor.injector.on("POST", CHAT, Delay(0.05), times=None)
    with subprocess.Popen(_words(held, job), stdout=subprocess.DEVNULL) as first:
        _until(vendor, 3, first)
        told = _again(held, job)
    assert first.returncode == 0 and told["n"] == N
    asked = _asked(vendor)
    assert len(asked) == len(set(asked)) == 2 * N


def test_what_goes_wrong_there_is_said_here(job: ftbridge.Job, held: Path, vendor: Account) -> None:
    vendor.injector.on("POST", CHAT, Answers(401), times=None)
    done = subprocess.run(_words(held, job), capture_output=True, timeout=120)
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "credentials"
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_the_asking_process_can_be_killed_too(
    job: ftbridge.Job, held: Path, vendor: Account
) -> None:
    """What was under way then is asked again, and nothing else: that is the promise's border."""
    from ftbridge.evaluate.outlive import UNDER_WAY

    vendor.injector.on("POST", CHAT, Delay(0.15), times=None)
    pipe = subprocess.PIPE
    with subprocess.Popen(_words(held, job), stdout=pipe, stderr=pipe) as process:
        _until(vendor, 3, process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and b"Traceback" not in err
    assert json.loads(out)["error"]["code"] == "asking_ended"
    assert _again(held, job)["n"] == N
    asked = _asked(vendor)
    assert len(set(asked)) == 2 * N and len(asked) - 2 * N <= UNDER_WAY


def test_a_sweep_goes_on_where_it_was_killed(held: Path, tmp_path: Path, vendor: Account) -> None:
    """Killed between two trials: three jobs at the vendor in all, each evaluated once."""
    data = write_chats(tmp_path / "train.jsonl", "colour")
    vendor.injector.on("POST", CHAT, Delay(0.05), times=None)
    words = [sys.executable, "-m", "ftbridge", "sweep", str(data), "--provider", "openai",
             "--validation", str(held), "--vary", "n_epochs=1,2,3", "--parallel", "1", "--yes",
             "--json"]  # fmt: skip

    def made() -> int:
        path = "/v1/fine_tuning/jobs"
        return sum(r.path == path and r.method == "POST" for r in vendor.store.requests)

    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while made() < 2:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        process.kill()
    done = subprocess.run(words, capture_output=True, timeout=200, check=True)
    told = json.loads(done.stdout)
    assert made() == len(vendor.store.jobs) == 3
    assert [(trial["state"], trial["error"]) for trial in told["trials"]] == [
        ("succeeded", None)
    ] * 3
    asked = _asked(vendor)
    assert len(asked) == len(set(asked)) == N * 4  # the base once, each trial once
