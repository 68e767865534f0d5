"""The exact HTTP requests of whole jobs, and the permissions that they need.

``golden.json`` was reviewed on 2026-11-25 against docs.cloud.google.com
gemini-enterprise-agent-platform/reference/models/tuning, reinforcement-tuning-job,
open-model-tuning, and the types of ``google-genai`` 2.34.0; storage against
cloud.google.com/storage/docs/json_api (objects: insert, get, delete, list).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tape import Tape, shown
from vertex_sandbox import Project, project

import ftbridge

from .permissions import table, write, written

FILE = Path(__file__).with_name("golden.json")
NAMES = {
    r"ftb-[0-9a-f]{32}": "<key>",
    r"ftbridge-[0-9a-f]{24}": "<content>",
    r"(?<=ftbridge/)ftbridge-[0-9a-f]+": "<content>",
    r"127\.0\.0\.1:\d+": "<address>",
    r"(?<=operations/)\d{19}": "<operation>",
    r"(?<=tuningJobs/)\d{19}": "<job>",
    r"(?<=endpoints/)\d{19}": "<endpoint>",
    r"(?<=models/)\d{19}": "<model>",
    r'(?<="deployedModelId": ")\d{19}': "<deployed>",
    r"(?<=generation=)\d{16,}": "<generation>",
}
"""What differs from run to run."""
TURNS = [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]
PAIR = {
    "prompt": TURNS[:1],
    "chosen": TURNS[1:],
    "rejected": [{"role": "assistant", "content": "no"}],
}
REWARD = {"messages": TURNS[:1], "reference": "yes"}
GRADER = {"type": "string_check", "name": "same", "operation": "eq",
          "input": "{{ sample.output_text }}", "reference": "{{item.reference}}"}  # fmt: skip
OPEN = "meta/llama3_1@llama-3.1-8b-instruct"
JOBS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sft": ({"messages": TURNS}, {"suffix": "support", "n_epochs": 2, "lora_r": 16}),
    "dpo": (PAIR, {"method": "dpo", "beta": 0.2, "learning_rate_multiplier": 0.5}),
    "rl": (REWARD, {"method": "rl", "grader": GRADER, "options": {"samples_per_prompt": "8"}}),
    "distillation": ({"messages": TURNS}, {"options": {"teacher": "gemini-3.5-flash"}}),
    "open": (
        {"messages": TURNS},
        {"model": OPEN, "adapter": "full", "options": {"learning_rate": "0.0001"}},
    ),
}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Project]:
    with project() as made:
        yield made


def exchanges(vendor: Project, name: str, folder: Path) -> Tape:
    """A whole job, from doctor to the end of its model, on tape."""
    vendor.reset(speed=400)
    tape = Tape(vendor.switch.app)
    vendor.switch.app = tape
    tape.state = tape.app.state  # type: ignore[attr-defined]
    row, wishes = JOBS[name]
    data = folder / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for _ in range(12)))
    bridge = ftbridge.Bridge()
    plan = bridge.plan(data, provider="vertex", allow_unknown_cost=True, **wishes)
    job = bridge.submit(plan).wait()
    assert job.state == "succeeded", job
    provider = bridge.provider("vertex")
    assert all(check.ok is not False for check in provider.doctor())
    model = str(job.model)
    if model.startswith("gs://"):
        job.download(folder / "weights")
    else:
        assert job.chat([{"role": "user", "content": "row?"}]).text
    provider.delete_model(model)
    job.purge()
    bridge.ledger.close()
    return tape


@pytest.mark.parametrize("name", sorted(JOBS))
def test_every_request_of_a_job(
    vendor: Project, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in vendor.env(tmp_path / "home").items():
        monkeypatch.setenv(key, value)
    tape = exchanges(vendor, name, tmp_path)
    polled = re.compile(r"GET .*(tuningJobs/<job>|operations/<operation>)$")
    seen = [line for line in shown(tape.exchanges, NAMES) if not polled.match(line["request"])]
    golden = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    if os.environ.get("FTBRIDGE_TEST_WRITE_GOLDEN"):
        FILE.write_text(json.dumps(golden | {name: seen}, indent=1, sort_keys=True) + "\n", "utf-8")
        golden[name] = seen
    assert seen == golden[name]


def test_the_readme_lists_every_permission(
    vendor: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in vendor.env(tmp_path / "home").items():
        monkeypatch.setenv(key, value)
    asked: set[tuple[str, str]] = set()
    for name in ("sft", "open"):
        folder = tmp_path / name
        folder.mkdir()
        tape = exchanges(vendor, name, folder)
        asked |= {(one.method, one.path) for one in tape.exchanges}
    asked.add(("POST", "/v1beta1/projects/p/locations/l/tuningJobs/1:cancel"))
    asked.add(("GET", "/v1beta1/projects/p/locations/l/tuningJobs"))
    if os.environ.get("FTBRIDGE_TEST_WRITE_GOLDEN"):
        write(table(asked))
    assert written() == table(asked)
