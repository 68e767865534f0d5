"""The exact HTTP requests of whole jobs through the library, from the upload to the last answer.

``golden.json`` was reviewed on 2026-11-25 against mistralai/platform-docs-public: openapi.yaml of
2026-07-15 (the last with the job routes) and the examples of text_vision_finetuning.md and
classifier_factory.md under public/resources/deprecated/finetuning.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mistral_world import CLASSIFIER, KEY, Vendor
from tape import shown

import ftbridge

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
NAMES = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": "<id>",
    r"ft:[^\"/]+": "<model>",
    r'("suffix": "(?:[^"]*-)?)[a-z2-7]{8}"': r'\1<mark>"',
}
"""What differs from run to run: ids of the vendor's, names of tuned models, the mark of the key."""
LABELS = ("refund", "delivery", "praise")
ROWS = [
    {"messages": [{"role": "system", "content": "Name the intent."},
                  {"role": "user", "content": f"{LABELS[n % 3]} please, number {n}"},
                  {"role": "assistant", "content": LABELS[n % 3]}]} for n in range(12)
]  # fmt: skip
JOBS: dict[str, dict[str, Any]] = {
    "completion": {"suffix": "support", "n_epochs": 2, "learning_rate": 1e-4,
                   "options": {"seq_len": "1024"}},
    "classifier": {"options": {"job_type": "classifier", "classifier_target": "intent",
                               "training_steps": "10"}},
}  # fmt: skip


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("name", JOBS)
def test_every_request_of_a_job(
    mistral: Vendor, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistral.reset(tmp_path, speed=200)
    monkeypatch.setenv("FTBRIDGE_MISTRAL_POLL_SECONDS", "0.05")
    data = write(tmp_path / "train.jsonl", ROWS)
    bridge = ftbridge.Bridge(tmp_path / "home")
    plan = bridge.plan(
        data, provider="mistral", base_url=mistral.url, validation=data,
        allow_unknown_cost=True, allow_lossy=False, **JOBS[name],
    )  # fmt: skip
    assert name == "completion" or plan.spec.model == CLASSIFIER
    job = bridge.submit(plan)
    job.wait()
    place = bridge.provider_of(job.row)
    asked = ROWS[4]["messages"][:2]
    assert job.state == "succeeded" and job.chat(asked).text == "delivery"
    assert job.base().chat(asked).text not in LABELS
    place.undeploy(str(job.model))
    with pytest.raises(ftbridge.FtbridgeError):
        job.chat(asked)
    place.deploy(str(job.model))
    assert job.chat(asked).text == "delivery"
    place.delete_model(str(job.model))
    for file_id in list(mistral.store.files):
        place.purge(file_id)
    assert shown(mistral.tape.exchanges, NAMES) == GOLDEN[name]
    assert mistral.store.files == {}
    assert all(one.headers["authorization"] == f"Bearer {KEY}" for one in mistral.tape.exchanges)
    bridge.ledger.close()


def test_a_classifier_is_evaluated_like_any_model(
    mistral: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistral.reset(tmp_path, speed=200)
    monkeypatch.setenv("FTBRIDGE_MISTRAL_POLL_SECONDS", "0.05")
    bridge = ftbridge.Bridge(tmp_path / "home")
    plan = bridge.plan(
        write(tmp_path / "train.jsonl", ROWS), provider="mistral", base_url=mistral.url,
        allow_unknown_cost=True, options={"job_type": "classifier"},
    )  # fmt: skip
    job = bridge.submit(plan)
    job.wait()
    held_out = [
        {"messages": [*row["messages"][:1],
                      {"role": "user", "content": f"{label} please, and number {n + 50}"},
                      {"role": "assistant", "content": label}]}
        for n, (row, label) in enumerate((ROWS[k], LABELS[k % 3]) for k in range(9))
    ]  # fmt: skip
    found = bridge.evaluate(write(tmp_path / "test.jsonl", held_out), model=job.id).to_dict()
    assert (found["tuned"]["value"], found["baseline"]["value"], found["n"]) == (1.0, 0.0, 9)
    bridge.ledger.close()
