"""Whole jobs on the emulated Hub whose machines really train: one is taken away in the middle, its
job goes on, and the adapter that comes home loads and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from answering import answer, base_in
from emulated import point, write_chats
from huggingface_place import Account

import ftbridge
from ftbridge import clock
from ftbridge_huggingface import Provider

PATIENCE = 250
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"


def until(reached: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE
    while not reached():
        assert clock.monotonic() < deadline
        clock.sleep(0.1)


@pytest.fixture
def real(served: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    sandbox = Provider.sandbox()
    served.reset(speed=50, start=None, held=False)
    point(monkeypatch, sandbox.variables(served.url) | served.env(tmp_path))
    return served


@pytest.mark.long
@pytest.mark.training
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft 0.21.2 in transformers 5.24
def test_a_machine_is_taken_away_and_the_adapter_comes_home(real: Account, tmp_path: Path) -> None:
    data = write_chats(tmp_path / "train.jsonl", count=24)
    options = {"checkpoint_steps": "1", "threads": "1", "machine": "t4-small"}
    bridge = ftbridge.Bridge(tmp_path)
    plan = bridge.plan(
        data, provider="huggingface", model=MODEL, adapter="lora", n_epochs=20, batch_size=2,
        options=options, max_usd=5,
    )  # fmt: skip
    job = bridge.submit(plan)
    (remote,) = real.store.jobs.values()
    until(lambda: len(bridge.job(job.id).checkpoints()) > 0)
    remote.machines[0].kill()
    until(lambda: len(remote.machines) == 2 or remote.stage != "RUNNING")
    assert len(remote.machines) == 2, "it had ended before it was taken away"
    done = job.wait()
    assert done.state == "succeeded", remote.log.read_text()
    assert [event.type for _, event in done.events()].count("resumed") == 1
    folder = done.download(tmp_path / "adapter")
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    assert answer(base_in(real.store.models.folder), folder)
    done.purge()
    assert real.uploaded() == []
    bridge.ledger.close()
