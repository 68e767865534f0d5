"""A whole job on a real Ray head: its process is killed in the middle, the job goes on, and the
adapter that comes home loads and answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from emulated import write_chats
from ray_head import Head, head, until

import ftbridge
from ftbridge.testing import tiny_model

pytestmark = [pytest.mark.long, pytest.mark.training, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def served() -> Iterator[Head]:
    with head() as made:
        yield made


@pytest.fixture
def bridge(
    served: Head, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ftbridge.Bridge]:
    for name, value in served.env(tmp_path, FTBRIDGE_RAY_PATIENCE_SECONDS="60").items():
        monkeypatch.setenv(name, value)
    made = ftbridge.Bridge(tmp_path)
    yield made
    made.ledger.close()


def _kill(key: str) -> None:
    """Take away what runs for a job: the command and its children, not the shell around it."""
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if Path(line[0] if line else "").name.startswith("python") and any(key in x for x in line):
            for one in (*process.children(recursive=True), process):
                one.kill()


def test_a_killed_job_goes_on_and_the_adapter_comes_home(
    served: Head, bridge: ftbridge.Bridge, tmp_path: Path
) -> None:
    base = tiny_model.build(served.storage / "acme-tiny-1m")
    data = write_chats(tmp_path / "train.jsonl", count=24)
    options = {"checkpoint_steps": "1", "threads": "1", "gpus": "0", "python": sys.executable}
    plan = bridge.plan(
        data, provider="ray", model=str(base), adapter="lora", n_epochs=20, batch_size=2,
        options=options, allow_unknown_cost=True,
    )  # fmt: skip
    job = bridge.submit(plan)
    key = str(job.row.remote_id)
    until(lambda: len(bridge.job(job.id).checkpoints()) > 0, 400)
    _kill(key)
    done = job.wait()
    assert done.state == "succeeded", done.row.error
    types = [event.type for _, event in done.events()]
    assert types.count("started") == 1 and types.count("resumed") == 1
    folder = done.download(tmp_path / "adapter")
    reply = bridge.model(str(folder)).chat([{"role": "user", "content": "train 3"}], max_tokens=8)
    assert reply.completion_tokens > 0
    done.purge()
    assert not list((served.storage / "files").iterdir())
