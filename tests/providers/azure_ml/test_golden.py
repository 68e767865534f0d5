"""The exact HTTP requests of whole jobs, from the workspace asked to the data called back.

``golden.json`` was reviewed on 2026-11-25 against the REST client in ``azure-ai-ml`` 1.35.2 (jobs,
environments, computes, datastores; api-version 2025-12-01) and the blob service's REST reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure_ml_place import Account, workspace
from azure_ml_rbac import actions, of_readme
from tape import Tape, shown

import ftbridge

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
NAMES = {
    r"ftb-[0-9a-f]{32}": "<key>",
    r"ftbridge-[0-9a-f]{24}": "<content>",
    r"/subscriptions/[0-9a-f-]+/resourceGroups/\w+/providers/[\w.]+/workspaces/\w+": "<workspace>",
    r"azureml://subscriptions/[0-9a-f-]+/resourcegroups/\w+/workspaces/\w+": "<files>",
}
"""What differs from run to run (marks of the key, hashes), and the long names of one place."""
TURNS = {"messages": [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]}
PAIR = {
    "prompt": TURNS["messages"][:1],
    "chosen": [{"role": "assistant", "content": "yes"}],
    "rejected": [{"role": "assistant", "content": "no"}],
}
JOBS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "serverless_spot": (TURNS, {"options": {"spot": "true", "hours": "3"}, "n_epochs": 2}),
    "cluster": (
        PAIR,
        {"method": "dpo", "beta": 0.2,
         "options": {"compute": "gpu", "machine": "Standard_NC24ads_A100_v4",
                     "identity": "managed"}},
    ),
}  # fmt: skip


@pytest.fixture
def place() -> Iterator[Account]:
    with workspace() as made:
        made.reset(speed=100)
        made.switch.app = Tape(made.switch.app)
        made.switch.app.state = made.switch.app.app.state  # type: ignore[attr-defined]
        yield made


@pytest.mark.parametrize("name", JOBS)
def test_every_request_of_a_job(
    place: Account, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in place.env(tmp_path / "home").items():
        monkeypatch.setenv(key, value)
    tape: Tape = place.switch.app
    row, wishes = JOBS[name]
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for _ in range(12)))
    bridge = ftbridge.Bridge()
    plan = bridge.plan(data, provider="azure_ml", allow_unknown_cost=True, **wishes)
    job = bridge.submit(plan)
    place.finish(str(job.row.remote_id))
    job.wait()
    job.download(tmp_path / "weights")
    job.purge()
    bridge.ledger.close()
    assert job.state == "succeeded"
    polled = re.compile(r"(GET .*/jobs/<key>\?|(GET|HEAD) /sandboxstore/)")
    seen = [line for line in shown(tape.exchanges, NAMES) if not polled.match(line["request"])]
    assert seen == GOLDEN[name]


def test_the_role_in_the_readme_is_what_is_asked_for(
    place: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Least privilege: each call of a job's whole life, and of doctor, as an action of RBAC."""
    for key, value in place.env(tmp_path / "home").items():
        monkeypatch.setenv(key, value)
    tape: Tape = place.switch.app
    data = tmp_path / "train.jsonl"
    data.write_text(json.dumps(TURNS) + "\n")
    bridge = ftbridge.Bridge()
    options = {"compute": "gpu", "machine": "Standard_NC24ads_A100_v4"}
    plan = bridge.plan(data, provider="azure_ml", allow_unknown_cost=True, options=options)
    job = bridge.submit(plan)
    bridge.provider("azure_ml").doctor()
    place.finish(str(job.row.remote_id))
    job.wait()
    job.download(tmp_path / "weights")
    other = bridge.submit(bridge.plan(data, provider="azure_ml", seed=3, allow_unknown_cost=True,
                                      options=options))  # fmt: skip
    other.cancel()
    provider = bridge.provider("azure_ml")
    provider.delete_model(str(job.model))
    job.purge()
    bridge.ledger.close()
    assert actions(tape.exchanges) == of_readme()
