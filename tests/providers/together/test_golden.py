"""The exact HTTP requests of whole jobs, from the price asked to the weights brought home.

``golden.json`` was reviewed on 2026-11-25 against togethercomputer/openapi (openapi.yaml of
2026-04-28) and the sources of ``together`` 3.1.1: ``lib/resources/files.py`` for the upload,
``lib/resources/fine_tuning.py`` for the nesting of ``training_type`` and ``training_method``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tape import shown
from together_world import KEY, Vendor

import ftbridge

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
NAMES = {
    r"file-[0-9a-f]{8}-[0-9a-f-]{27}": "<file>",
    r"ft-[0-9a-f]{8}-[0-9a-f-]{27}": "<job>",
    r"ftb[a-z2-7]{12}": "<mark>",
    r"ftbridge-[0-9a-f]{24}": "<content>",
    r"[0-9a-f]{64}": "<sha256>",
    r"sandbox/[^\"]+": "<model>",
}
"""What differs from run to run: ids of the vendor's, the mark of the key, hashes."""
CHATS = [
    {"messages": [{"role": "user", "content": f"row {n}?"},
                  {"role": "assistant", "content": "yes"}]} for n in range(12)
]  # fmt: skip
PAIRS = [
    {"prompt": [{"role": "user", "content": f"row {n}?"}],
     "chosen": [{"role": "assistant", "content": "yes"}],
     "rejected": [{"role": "assistant", "content": "no"}]} for n in range(12)
]  # fmt: skip
JOBS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sft": (CHATS, {
        "suffix": "support", "seed": 7, "n_epochs": 2, "learning_rate": 1e-4, "lora_r": 16,
        "options": {"n_checkpoints": "2", "train_on_inputs": "false"},
    }),
    "dpo": (PAIRS, {"method": "dpo", "beta": 0.2}),
    "full": (CHATS, {"adapter": "full", "batch_size": 8, "allow_unknown_cost": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_every_request_of_a_job(
    together: Vendor, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together.reset(tmp_path, speed=200)
    monkeypatch.setenv("FTBRIDGE_TOGETHER_POLL_SECONDS", "0.05")
    rows, wishes = JOBS[name]
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bridge = ftbridge.Bridge(tmp_path / "home")
    job = bridge.submit(bridge.plan(data, provider="together", base_url=together.url, **wishes))
    job.wait()
    reply = job.chat([{"role": "user", "content": "row 3?"}])
    job.download(tmp_path / "weights")
    for file_id in list(together.store.files):  # `purge` looks as well, which is its own affair
        together.connect().purge(file_id)
    assert job.state == "succeeded" and reply.text == "yes"
    assert sorted(path.suffix for path in (tmp_path / "weights").iterdir()) == [
        ".json", ".md", ".safetensors",
    ]  # fmt: skip
    watched = {"GET /v1/fine-tunes/<job>/events", "GET /v1/fine-tunes/<job>/metrics",
               "GET /v1/fine-tunes/<job>"}  # fmt: skip
    seen = [
        line for line in shown(together.tape.exchanges, NAMES) if line["request"] not in watched
    ]
    assert seen == GOLDEN[name]
    assert together.store.files == {}
    for exchange in together.tape.exchanges:  # the storage's address is its own credential
        sent = exchange.headers.get("authorization")
        assert sent == (None if exchange.method == "PUT" else f"Bearer {KEY}")
    bridge.ledger.close()
