"""The exact HTTP requests of whole jobs, from the limits asked to the model taken down again.

``golden.json`` was reviewed on 2026-11-25 against docs.fireworks.ai/fine-tuning/
{fine-tuning-models, dpo-fine-tuning, reinforcement-fine-tuning} and the resources of
``fireworks-ai`` 1.2.30 (datasets, supervised_fine_tuning_jobs, dpo_jobs,
reinforcement_fine_tuning_jobs, deployments).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fireworks_sandbox import Account, account
from tape import Tape, shown

import ftbridge

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
NAMES = {
    r"ftb-[0-9a-f]{32}": "<key>",
    r"ftbridge-[0-9a-f]{24}": "<content>",
    r"127\.0\.0\.1:\d+": "<address>",
    r"(?<=support-)[0-9a-f]{8}": "<mark>",
}
"""What differs from run to run: marks of the key, hashes, addresses."""
TURNS = {"messages": [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]}
PAIR = {
    "prompt": TURNS["messages"][:1],
    "chosen": [{"role": "assistant", "content": "yes"}],
    "rejected": [{"role": "assistant", "content": "no"}],
}
REWARD = {"messages": TURNS["messages"][:1], "reference": "yes"}
JOBS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sft": (TURNS, {"suffix": "support", "n_epochs": 2, "learning_rate": 1e-4, "lora_r": 16}),
    "dpo": (PAIR, {"method": "dpo", "beta": 0.2}),
    "rl": (REWARD, {"method": "rl", "options": {"evaluator": "sandbox"}}),
}


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with account() as made:
        made.reset(speed=200)
        made.switch.app = Tape(made.switch.app)
        monkeypatch.setenv("FIREWORKS_BASE_URL", made.url)
        yield made


@pytest.mark.parametrize("name", JOBS)
def test_every_request_of_a_job(
    vendor: Account, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in vendor.env(tmp_path / "home").items():
        monkeypatch.setenv(key, value)
    tape: Tape = vendor.switch.app
    vendor.switch.app.state = tape.app.state  # type: ignore[attr-defined]
    row, wishes = JOBS[name]
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for _ in range(12)))
    bridge = ftbridge.Bridge()
    plan = bridge.plan(data, provider="fireworks", allow_unknown_cost=True, **wishes)
    job = bridge.submit(plan).wait()
    provider = bridge.provider("fireworks")
    provider.deploy(str(job.model))
    reply = job.chat([{"role": "user", "content": "row?"}])
    provider.undeploy(str(job.model))
    job.download(tmp_path / "weights")
    job.purge()
    bridge.ledger.close()
    assert job.state == "succeeded" and reply.text
    polled = re.compile(r"GET .*([jJ]obs/<key>(:\w+)?(\?.*)?|deployments/[^/]+)$")
    seen = [line for line in shown(tape.exchanges, NAMES) if not polled.match(line["request"])]
    assert seen == GOLDEN[name]
