"""The exact requests to Bedrock of whole jobs, from the base looked at to the deployment removed.

``golden.json`` was reviewed on 2026-11-25 against botocore 1.43.117, service models
bedrock/2023-04-20 and bedrock-runtime/2023-09-30. What goes to S3 is in ``test_policy.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from bedrock_sandbox import Account, account
from tape import Tape, shown

import ftbridge
from ftbridge_bedrock.emulator import ACCOUNT, REGION

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
NAMES = {
    r"ftb-[0-9a-f]{32}": "<key>",
    r"ftbridge-[0-9a-f]{24}": "<content>",
    r"(?<=s3://)ftb-[0-9a-f]{12}": "<bucket>",
    r"(?<=support-)[0-9a-f]{12}": "<mark>",
    r"127\.0\.0\.1:\d+": "<address>",
    r"(?<=/)[a-z0-9]{12}(?=[\"/?]|$)": "<id>",
    r"(?<=ftb-)[a-z0-9]{12}(?=\")": "<id>",
    r"[0-9a-f]{32}": "<token>",
}
"""What differs from run to run: keys, hashes, names of AWS's making."""
TURNS = {"messages": [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]}
JOBS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sft": (TURNS, {"suffix": "support", "n_epochs": 2, "learning_rate": 1e-5}),
    "text": ({"text": "row"}, {"model": "amazon.titan-text-express-v1:0:8k", "n_epochs": 1}),
    "distillation": (TURNS, {
        "model": "amazon.nova-micro-v1:0:128k",
        "options": {"customization": "distillation", "teacher": "amazon.nova-pro-v1:0:300k"},
    }),
    "rl": ({"messages": TURNS["messages"][:1], "reference": "yes"}, {
        "method": "rl",
        "options": {"lambda_arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:grade"},
    }),
}  # fmt: skip


@pytest.fixture
def vendor() -> Iterator[Account]:
    with account() as made:
        made.reset(speed=200)
        made.switch.app = Tape(made.switch.app)
        yield made


def record(vendor: Account, name: str, folder: Path) -> list[dict[str, Any]]:
    """Run a job and take down what was asked, without the looks at what is under way."""
    tape: Tape = vendor.switch.app
    vendor.switch.app.state = tape.app.state  # type: ignore[attr-defined]
    row, wishes = JOBS[name]
    data = folder / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for _ in range(100)))
    bridge = ftbridge.Bridge()
    plan = bridge.plan(data, provider="bedrock", allow_unknown_cost=True, **wishes)
    job = bridge.submit(plan).wait()
    provider = bridge.provider("bedrock")
    provider.deploy(str(job.model))
    reply = job.chat([{"role": "user", "content": "row?"}])
    provider.undeploy(str(job.model))
    job.purge()
    bridge.ledger.close()
    assert job.state == "succeeded" and reply.text
    polled = re.compile(r"GET /(model-customization-jobs/|[a-z-]*/?custom-model-deployments/|"
                        r"provisioned-model-throughput/).*")  # fmt: skip
    rows = [{**line, "request": unquote(line["request"])} for line in shown(tape.exchanges, {})]
    text = json.dumps(rows)
    for pattern, word in NAMES.items():
        text = re.sub(pattern, word, text)
    return [line for line in json.loads(text) if not polled.fullmatch(line["request"])]


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[] if name == "sft" else pytest.mark.long) for name in sorted(JOBS)
])  # fmt: skip
def test_every_request_of_a_job(
    vendor: Account, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in vendor.env(tmp_path / "home").items():
        monkeypatch.setenv(key, value)
    assert record(vendor, name, tmp_path) == GOLDEN[name]
