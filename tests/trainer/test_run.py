"""Whole runs: the contract of the run directory, stopping, resuming, queueing, refusing."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftbridge_trainer import checkpoint, guard
from ftbridge_trainer.__main__ import main

from .conftest import chat, read, read_lines, write_rows

torch = pytest.importorskip("torch")
Run = Callable[..., Path]
PACKAGES = Path(__file__).parents[2] / "local_backend"


def start(run: Path) -> subprocess.Popen[bytes]:
    """A real trainer process."""
    return subprocess.Popen(
        [sys.executable, "-m", "ftbridge_trainer", str(run)],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        stderr=subprocess.PIPE,
    )


def until(what: Callable[[], bool], seconds: float = 250) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def steps_done(run: Path) -> int:
    file = run / "metrics.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def weights(run: Path) -> bytes:
    return (run / "adapter" / "adapter_model.safetensors").read_bytes()


def error_code(run: Path) -> str:
    status = read(run / "status.json")
    assert status["state"] == "failed"
    return str(status["error"]["code"])


def types(run: Path) -> list[str]:
    return [event["type"] for event in read_lines(run / "events.jsonl")]


def test_a_run_leaves_what_it_promises(new_run: Run) -> None:
    run = new_run(validation="valid.jsonl", eval_steps=3, adapter="qlora", n_epochs=2)
    secret = "zanzibar-passphrase"
    write_rows(run / "valid.jsonl", [chat(secret, secret)])
    assert main([str(run)]) == 0
    status, result = read(run / "status.json"), read(run / "result.json")
    metrics = read_lines(run / "metrics.jsonl")
    assert (status["state"], status["step"], status["total_steps"]) == ("succeeded", 6, 6)
    assert status["error"] is None
    assert status["ended_at"].endswith("Z")
    assert [row["step"] for row in metrics] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in metrics if "valid_loss" in row] == [3, 6]
    assert metrics[-1]["trained_tokens"] == status["trained_tokens"] == status["train_tokens_total"]
    assert result["valid_loss"] == metrics[-1]["valid_loss"]
    assert result["train_tokens"] == metrics[-1]["tokens"]
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json"} <= {
        file.name for file in (run / "adapter").iterdir()
    }
    assert len(list((run / "checkpoints").iterdir())) == 2
    values = read(run / "resolved.json")["values"]
    assert values["n_epochs"] == {"value": 2, "origin": "given"}
    assert values["learning_rate"]["origin"].startswith("default: ")
    for file in run.glob("*.json*"):
        if file.name != "valid.jsonl":
            assert secret not in file.read_text("utf-8")
    with pytest.raises(guard.NetworkRefused):
        socket.create_connection(("192.0.2.1", 443), timeout=1)
    before = weights(run), (run / "result.json").stat().st_mtime_ns
    assert main([str(run)]) == 0  # finished: nothing to do
    assert before == (weights(run), (run / "result.json").stat().st_mtime_ns)


def test_the_model_learns(new_run: Run) -> None:
    run = new_run(n_epochs=8, learning_rate=0.02, lora_dropout=0.0)
    assert main([str(run)]) == 0
    losses = [row["loss"] for row in read_lines(run / "metrics.jsonl")]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("adapter", ["lora", "qlora"])
def test_killed_and_resumed_ends_bit_identical(new_run: Run, adapter: str) -> None:
    keys = {"adapter": adapter, "n_epochs": 30, "checkpoint_steps": 4}
    straight, killed = new_run("straight", **keys), new_run("killed", **keys)
    process = start(killed)
    until(lambda: steps_done(killed) >= 10 or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (killed / "result.json").exists()
    newest, _ = checkpoint.newest(killed / "checkpoints")
    assert newest is not None
    with (killed / "metrics.jsonl").open("ab") as stream:
        stream.write(b'{"step": 99, "lo')  # as if killed while writing
    assert main([str(killed)]) == 0
    assert main([str(straight)]) == 0
    assert "resumed" in types(killed)
    assert weights(killed) == weights(straight)
    one, two = (read_lines(run / "metrics.jsonl") for run in (straight, killed))
    assert [row["step"] for row in two] == list(range(1, 91))
    assert [row["loss"] for row in one] == [row["loss"] for row in two]


def test_a_signal_pauses_and_the_next_start_goes_on(new_run: Run) -> None:
    keys = {"n_epochs": 30, "checkpoint_steps": 50}
    straight, paused = new_run("straight", **keys), new_run("paused", **keys)
    process = start(paused)
    until(lambda: steps_done(paused) >= 3 or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=250)
    assert process.returncode == 0
    assert read(paused / "status.json")["state"] == "paused"
    done = read(paused / "status.json")["step"]
    assert (paused / "checkpoints" / f"step-{done:06d}" / "complete.json").exists()
    assert main([str(paused)]) == 0
    assert main([str(straight)]) == 0
    assert weights(paused) == weights(straight)


def test_full_fine_tuning_resumes_bit_identical(new_run: Run) -> None:
    keys = {"adapter": "full", "checkpoint_steps": 2}
    straight, paused = new_run("straight", **keys), new_run("paused", **keys)
    with stop_after(paused, 3, "pause"):
        assert main([str(paused)]) == 0
    assert read(paused / "status.json")["state"] == "paused"
    assert not (paused / "pause").exists()
    assert main([str(paused)]) == 0
    assert main([str(straight)]) == 0
    one, two = ((run / "model" / "model.safetensors").read_bytes() for run in (straight, paused))
    assert one == two


class stop_after:
    """Writes a control file as soon as a step is done."""

    def __init__(self, run: Path, step: int, name: str) -> None:
        self.run, self.step, self.name = run, step, name

    def __enter__(self) -> None:
        from ftbridge_trainer.run_dir import RunDir

        self.honest = honest = RunDir.metric
        step, name = self.step, self.name

        def metric(this: Any, row: dict[str, Any]) -> None:
            honest(this, row)
            if row["step"] == step:
                (this.path / name).touch()

        RunDir.metric = metric  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        from ftbridge_trainer.run_dir import RunDir

        RunDir.metric = self.honest  # type: ignore[method-assign]


def test_cancel_keeps_a_checkpoint_and_stays(new_run: Run) -> None:
    run = new_run()
    with stop_after(run, 3, "cancel"):
        assert main([str(run)]) == 0
    status = read(run / "status.json")
    assert (status["state"], status["step"]) == ("cancelled", 3)
    assert (run / "checkpoints" / "step-000003").is_dir()
    assert main([str(run)]) == 0  # still cancelled
    assert read(run / "status.json")["state"] == "cancelled"
    (run / "cancel").unlink()
    assert main([str(run)]) == 0
    assert read(run / "status.json")["state"] == "succeeded"


@pytest.mark.parametrize("adapter", ["lora", "qlora"])
@pytest.mark.parametrize("packing", [False, True])
def test_looking_at_the_validation_loss_changes_nothing(
    new_run: Run, adapter: str, packing: bool
) -> None:
    keys = {"adapter": adapter, "packing": packing, "max_length": 64}
    blind = new_run("blind", **keys)
    seeing = new_run("seeing", validation="train.jsonl", eval_steps=1, **keys)
    for run in (blind, seeing):
        assert main([str(run)]) == 0
    assert weights(blind) == weights(seeing)


def test_a_damaged_checkpoint_is_passed_over(new_run: Run) -> None:
    straight, run = new_run("straight"), new_run()
    with stop_after(run, 5, "pause"):
        assert main([str(run)]) == 0
    file = run / "checkpoints" / "step-000005" / "state.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (run / "checkpoints" / ".tmp-1").mkdir()
    (run / "checkpoints" / "step-000009").mkdir()  # no manifest
    assert main([str(run)]) == 0
    assert types(run).count("checkpoint_ignored") == 2
    assert not (run / "checkpoints" / ".tmp-1").exists()
    assert main([str(straight)]) == 0
    assert weights(run) == weights(straight)


def test_changed_recipe_or_data_is_refused(new_run: Run) -> None:
    run = new_run()
    with stop_after(run, 3, "pause"):
        assert main([str(run)]) == 0
    recipe, data = (run / "recipe.json").read_text(), (run / "train.jsonl").read_text()
    (run / "recipe.json").write_text(json.dumps({**json.loads(recipe), "learning_rate": 0.5}))
    assert main([str(run)]) == 1
    assert error_code(run) == "recipe_changed"
    assert "learning_rate" in read(run / "status.json")["error"]["message"]
    (run / "recipe.json").write_text(recipe)
    (run / "train.jsonl").write_text(data.replace("Card 1", "Card 7"))
    assert main([str(run)]) == 1
    assert error_code(run) == "data_changed"


def test_a_run_waits_for_the_device_and_can_be_cancelled_there(
    new_run: Run, tmp_path: Path
) -> None:
    lock = tmp_path / "device.lock"
    run, other = (new_run(name, device_lock=str(lock)) for name in ("one", "two"))
    handle = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    process = start(run)
    until(lambda: (run / "status.json").exists() and "queued" in (run / "status.json").read_text())
    waiting = threading.Timer(0.3, (other / "cancel").touch)
    waiting.start()
    assert main([str(other)]) == 0
    assert read(other / "status.json")["state"] == "cancelled"
    os.close(handle)
    process.communicate(timeout=250)
    assert process.returncode == 0
    assert read(run / "status.json")["state"] == "succeeded"


def test_a_second_process_on_one_directory_is_refused(
    new_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run = new_run()
    handle = os.open(run / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert main([str(run)]) == 1
    assert "already_running" in capsys.readouterr().err
    assert not (run / "status.json").exists()
    os.close(handle)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"lerning_rate": 1}, "recipe_unknown_key"),
        ({"n_epochs": 0}, "recipe_invalid"),
        ({"model": "nobody/no-such-model"}, "model_not_found"),
        ({"target_modules": ["nowhere"]}, "target_modules_unknown"),
        ({"train": "absent.jsonl"}, "data_missing"),
        ({"max_length": 8}, "example_too_long"),
    ],
)
def test_what_cannot_run_says_why(new_run: Run, keys: dict[str, Any], code: str) -> None:
    run = new_run(**keys)
    assert main([str(run)]) == 1
    assert error_code(run) == code
    status = read(run / "status.json")
    assert status["error"]["hint"]
    if code == "recipe_unknown_key":
        assert "lerning_rate" in status["error"]["message"]


def test_it_runs_from_a_zip(tmp_path: Path) -> None:
    package = PACKAGES / "ftbridge_trainer"
    with zipfile.ZipFile(tmp_path / "trainer.zip", "w") as archive:
        for file in package.glob("*.py"):
            archive.write(file, f"ftbridge_trainer/{file.name}")
    done = subprocess.run(
        [sys.executable, "-m", "ftbridge_trainer", str(tmp_path / "absent")],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "trainer.zip")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "run_dir_missing" in done.stderr


def test_long_examples_are_cut_with_a_warning(new_run: Run) -> None:
    run = new_run()
    rows = [chat("q", "an answer that is long " * 10), chat("q", "short")]
    write_rows(run / "train.jsonl", rows)
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps({**recipe, "max_length": 40}))
    assert main([str(run)]) == 0
    (cut,) = [e for e in read_lines(run / "events.jsonl") if e["type"] == "examples_cut"]
    assert cut["level"] == "warning"
    assert cut["data"]["where"] == ["train.jsonl:1"]


def test_a_merged_model_gives_the_adapters_logits(new_run: Run, model_dir: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from ftbridge_trainer.merge import merge

    run = new_run(learning_rate=0.02)
    assert main([str(run)]) == 0
    about = merge(run / "adapter", run / "merged")
    assert about["dtype"] == "float32"
    assert read(run / "merged" / "merge.json") == about
    ids = torch.arange(5, 45).unsqueeze(0)
    base = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)
    with torch.no_grad():
        plain = base(ids).logits
        adapted = PeftModel.from_pretrained(base, str(run / "adapter"))(ids).logits
        merged = AutoModelForCausalLM.from_pretrained(run / "merged", dtype=torch.float32)(ids)
    assert (adapted - plain).abs().max() > 0.1  # the adapter does something
    torch.testing.assert_close(merged.logits, adapted, rtol=1e-4, atol=1e-4)


def test_the_queue_serves_who_came_first(tmp_path: Path) -> None:
    from ftbridge_trainer.control import standing_in

    queue = tmp_path / "queue"
    queue.mkdir()
    (queue / "00000000000000000001-9").touch()  # its process has died
    with standing_in(queue) as first:
        with standing_in(queue) as second, standing_in(queue) as third:
            assert [first(), second(), third()] == [True, False, False]
        assert first()
        assert len(list(queue.iterdir())) == 1
    assert not list(queue.iterdir())
