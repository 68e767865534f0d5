"""The local provider through the library: real processes on a tiny model."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import ftbridge
from ftbridge.job import Job
from ftbridge.jobs.states import State
from ftbridge.testing.tiny_model import build

pytestmark = pytest.mark.training

SETTINGS = {"n_epochs": 3, "batch_size": 4, "seed": 3}
OPTIONS = {"checkpoint_steps": "2", "compute_dtype": "fp32", "threads": "1", "packing": "false"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    rows = (
        {"messages": [{"role": "user", "content": f"Where is card {i}?"},
                      {"role": "assistant", "content": f"Card {i} is here."}],
         "metadata": {"row": i}}
        for i in range(24)
    )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _submit(home: Path, data: Path, model: Path, adapter: str = "lora") -> Job:
    bridge = ftbridge.Bridge(home)
    plan = bridge.plan(
        data, provider="local", model=str(model), adapter=adapter, options=OPTIONS, **SETTINGS
    )
    return bridge.submit(plan)


def _until(job: Job, reached: Callable[[Job], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not reached(job):
        assert time.monotonic() < deadline, job.row
        assert not job.row.is_final, job.row
        time.sleep(0.02)
        job.refresh()


def _weights(job: Job) -> bytes:
    return (Path(str(job.model)) / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("adapter", ["lora", "qlora"])
def test_killed_run_resumes_to_the_same_bytes(
    tmp_path: Path, data: Path, model: Path, adapter: str
) -> None:
    whole = _submit(tmp_path / "whole", data, model, adapter).wait(0.05)
    job = _submit(tmp_path / "killed", data, model, adapter)
    assert job.row.key == whole.row.key
    checkpoints = Path(job.details()["folder"]) / "checkpoints"
    _until(job, lambda _: any(checkpoints.glob("step-*/complete.json")))
    os.kill(job.details()["pid"], signal.SIGKILL)
    _until(job, lambda j: j.state is State.PAUSED)
    assert job.row.raw_state == "interrupted"
    assert job.row.error is not None and "resume" in job.row.error["hint"]
    job.resume().wait(0.05)
    assert _weights(job) == _weights(whole)
    losses = [(m.step, m.value) for m in job.metrics() if m.name == "loss"]
    assert losses == [(m.step, m.value) for m in whole.metrics() if m.name == "loss"]
    assert [step for step, _ in losses] == list(range(1, 19))


def test_pause_and_resume(tmp_path: Path, data: Path, model: Path) -> None:
    job = _submit(tmp_path / "home", data, model)
    job.pause()
    _until(job, lambda j: j.row.raw_state == "paused")
    with pytest.raises(ftbridge.OperationFailed, match="is paused"):
        job.wait(0.05)
    assert job.resume().wait(0.05).state is State.SUCCEEDED


def test_cancel_stops_for_good(tmp_path: Path, data: Path, model: Path) -> None:
    job = _submit(tmp_path / "home", data, model)
    job.cancel()
    with pytest.raises(ftbridge.JobFailed, match="cancelled"):
        job.wait(0.05)
    with pytest.raises(ftbridge.OperationFailed, match="ended already"):
        job.cancel()
    assert job.model is None


def test_result_answers_and_comes_home(tmp_path: Path, data: Path, model: Path) -> None:
    job = _submit(tmp_path / "home", data, model).wait(0.05)
    question = [{"role": "user", "content": "Where is card 3?"}]
    tuned = job.chat(question, max_tokens=8)
    assert tuned.completion_tokens <= 8
    assert "".join(job.tuned().stream(question, max_tokens=8)) == tuned.text
    adapter = job.download(tmp_path / "adapter")
    assert (adapter / "adapter_config.json").exists()
    merged = job.download(tmp_path / "merged", merged=True)
    bridge = ftbridge.Bridge(tmp_path / "home")
    assert bridge.model(str(merged)).chat(question, max_tokens=8).text == tuned.text
    with pytest.raises(ftbridge.UsageError, match="not empty"):
        job.download(tmp_path / "merged")


def test_second_run_waits_for_the_device(tmp_path: Path, data: Path, model: Path) -> None:
    home = tmp_path / "home"
    first = _submit(home, data, model)
    bridge = ftbridge.Bridge(home)
    plan = bridge.plan(data, provider="local", model=str(model), options=OPTIONS, n_epochs=1)
    second = bridge.submit(plan)
    seen = {str(update.job.state) for update in second.watch(0.02)}
    first.refresh()
    assert second.state is State.SUCCEEDED and first.state is State.SUCCEEDED
    assert "queued" in seen


def test_a_measured_run_prices_the_next(tmp_path: Path, data: Path, model: Path) -> None:
    home = tmp_path / "home"
    before = ftbridge.Bridge(home).plan(data, provider="local", model=str(model))
    assert before.usd.high is None and before.allowed
    _submit(home, data, model).wait(0.05)
    after = ftbridge.Bridge(home).plan(data, provider="local", model=str(model), adapter="lora")
    assert after.usd.high is not None and after.usd.high > 0
    assert "measured" in after.usd.lines[0].formula


def test_same_plan_attaches_and_ended_one_needs_again(
    tmp_path: Path, data: Path, model: Path
) -> None:
    job = _submit(tmp_path / "home", data, model)
    assert _submit(tmp_path / "home", data, model).id == job.id
    job.wait(0.05)
    with pytest.raises(ftbridge.UsageError, match="ended already"):
        _submit(tmp_path / "home", data, model)


def test_nothing_private_is_readable_by_others(tmp_path: Path, data: Path, model: Path) -> None:
    home = tmp_path / "home"
    _submit(home, data, model).wait(0.05)
    assert home.stat().st_mode & 0o077 == 0
    files = [home / "ledger.db", *home.glob("payloads/*"), *home.glob("local/files/*")]
    assert len(files) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_preferences_raise_the_margin(tmp_path: Path, model: Path) -> None:
    def pairs(name: str, first: int, count: int) -> Path:
        path = tmp_path / name
        rows = (
            {
                "prompt": [{"role": "user", "content": f"Is card {i} here?"}],
                "chosen": [{"role": "assistant", "content": "Yes, it is."}],
                "rejected": [{"role": "assistant", "content": "No, it is not."}],
            }
            for i in range(first, first + count)
        )
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    bridge = ftbridge.Bridge(tmp_path / "home")
    wishes = {"adapter": "lora", "n_epochs": 4, "learning_rate": 0.02, "batch_size": 4, "beta": 0.2}
    plan = bridge.plan(
        pairs("train.jsonl", 0, 16), provider="local", model=str(model), method="dpo",
        validation=pairs("valid.jsonl", 50, 4), options=OPTIONS | {"eval_steps": "4"}, **wishes,
    )  # fmt: skip
    assert plan.settings["beta"].value == 0.2 and plan.settings["beta"].origin == "given"
    job = bridge.submit(plan).wait(0.05)
    seen = [m.value for m in job.metrics() if m.name == "valid_reward_margin"]
    assert len(seen) == 4 and seen[-1] > max(0.3, seen[0])
    with pytest.raises(ftbridge.UsageError, match="takes no beta for sft"):
        bridge.plan(tmp_path / "train.jsonl", provider="local", model=str(model), beta=0.2)


def test_plain_texts_are_trained_on(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": f"Card {i} is here."}) + "\n" for i in range(16)))
    job = _submit(tmp_path / "home", path, model).wait(0.05)
    losses = [m.value for m in job.metrics() if m.name == "loss"]
    assert losses[-1] < losses[0]


@pytest.mark.long
def test_two_workers_train_together(tmp_path: Path, data: Path, model: Path) -> None:
    one = _submit(tmp_path / "one", data, model).wait(0.05)
    bridge = ftbridge.Bridge(tmp_path / "two")
    plan = bridge.plan(
        data, provider="local", model=str(model), adapter="lora",
        options=OPTIONS | {"workers": "2"}, **SETTINGS,
    )  # fmt: skip
    two = bridge.submit(plan).wait(0.05)
    assert two.details()["state"] == "succeeded"
    losses = [[m.value for m in job.metrics() if m.name == "loss"] for job in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_a_gguf_file_beside_the_merged_model(tmp_path: Path, data: Path, model: Path) -> None:
    job = _submit(tmp_path / "home", data, model).wait(0.05)
    bridge = ftbridge.Bridge(tmp_path / "home")
    folder = job.download(tmp_path / "out", merged=True)
    file = bridge.write_gguf(folder, "q8_0")
    assert file == folder / "model-q8_0.gguf" and file.read_bytes()[:4] == b"GGUF"
    adapter = job.download(tmp_path / "adapter")
    with pytest.raises(ftbridge.FtbridgeError):
        bridge.write_gguf(adapter)
    assert not list(adapter.glob("*.gguf"))
