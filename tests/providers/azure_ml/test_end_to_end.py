"""A whole job in the emulated workspace, whose machines really train: a node is lost on the way,
another one goes on from the checkpoint, and the adapter comes home, loads and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from answering import answer, base_in
from azure_ml_place import Account, workspace

import ftbridge
from ftbridge_azure_ml.emulator import once_it_has_a_checkpoint

pytestmark = [
    pytest.mark.training,
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # peft 0.21.2 in transformers 5.24
]
MODEL = "acme/tiny-1m"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with workspace() as made:
        made.reset(speed=100, rents=True, preempts=once_it_has_a_checkpoint)
        for name, value in made.env(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        yield made


def chats(path: Path) -> Path:
    turns = (("user", "where is card {}?"), ("assistant", "card {} is here"))
    rows = (
        {"messages": [{"role": role, "content": text.format(n)} for role, text in turns]}
        for n in range(24)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_node_is_lost_and_the_adapter_comes_home(place: Account, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    options = {
        "spot": "true", "machine": "Standard_NC24ads_A100_v4", "checkpoint_steps": "1",
        "threads": "1",
    }  # fmt: skip
    plan = bridge.plan(
        chats(tmp_path / "train.jsonl"), provider="azure_ml", model=MODEL, adapter="lora",
        n_epochs=20, batch_size=2, allow_unknown_cost=True, options=options,
    )  # fmt: skip
    job = bridge.submit(plan).wait()
    name = str(job.row.remote_id)
    remote = place.store.jobs[name]
    assert job.state == "succeeded", remote.run and remote.run.log.read_text()
    assert remote.preemptions == 1
    types = [event.type for event in bridge.provider("azure_ml").events(name)]
    assert types.count("started") == 1 and "resumed" in types and types[-1] == "finished"

    adapter = job.download(tmp_path / "adapter")
    assert not any(path.suffix == ".pt" for path in adapter.rglob("*"))
    assert answer(base_in(place.store.hub.folder), adapter)
    job.purge()
    assert place.uploaded() == []
    bridge.ledger.close()
