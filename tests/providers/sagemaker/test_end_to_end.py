"""A whole job on emulated spot capacity, whose machines really train: the first is taken away once
there is a checkpoint, another one goes on, and the adapter comes home, loads and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from answering import answer, base_in
from sagemaker_place import Account, account

import ftbridge
from ftbridge.testing import rented
from ftbridge_sagemaker.emulator import machine, once_it_has_a_checkpoint

pytestmark = [
    pytest.mark.training,
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # peft 0.21.2 in transformers 5.24
]
MODEL = "acme/tiny-1m"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with account() as made:
        made.reset()
        made.store.interrupts = once_it_has_a_checkpoint
        offer = rented.Hub.offer
        made.point(monkeypatch, tmp_path / "home")
        monkeypatch.setattr(rented.Hub, "offer", offer)
        monkeypatch.setattr(machine, "Machine", rented.Machine)
        yield made


def chats(path: Path) -> Path:
    turns = (("user", "where is card {}?"), ("assistant", "card {} is here"))
    rows = (
        {"messages": [{"role": role, "content": text.format(n)} for role, text in turns]}
        for n in range(24)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_spot_is_lost_once_and_the_adapter_comes_home(place: Account, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    options = {
        "spot": "true", "machine": "ml.g5.xlarge", "checkpoint_steps": "1", "threads": "1",
    }  # fmt: skip
    plan = bridge.plan(
        chats(tmp_path / "train.jsonl"), provider="sagemaker_compute", model=MODEL,
        adapter="lora", n_epochs=20, batch_size=2, allow_unknown_cost=True, options=options,
    )  # fmt: skip
    job = bridge.submit(plan).wait()
    name = str(job.row.remote_id)
    remote = place.store.jobs[name]
    assert job.state == "succeeded", remote.run and remote.run.log.read_text()
    assert remote.interruptions == 1
    provider = bridge.provider("sagemaker_compute")
    types = [event.type for event in provider.events(name)]
    assert types.count("started") == 1 and "resumed" in types and types[-1] == "finished"
    assert provider.get(name).billed_seconds

    adapter = job.download(tmp_path / "adapter")
    assert not any(path.suffix == ".pt" for path in adapter.rglob("*"))
    assert answer(base_in(place.store.hub.folder), adapter)
    job.purge()
    assert place.uploaded() == []
    bridge.ledger.close()
