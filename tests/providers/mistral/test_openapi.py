"""Requests and the emulator's answers against the vendor's OpenAPI document.

``openapi.json`` is trimmed from mistralai/platform-docs-public (openapi.yaml of 2026-07-15, the
last with the job routes; read 2026-11-25): which fields a body may have, which an answer must have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mistral_world import CLASSIFIER, Vendor, spec
from openapi_lists import Lists

from ftbridge.provider import ChatRequest

LISTS = Lists(Path(__file__).with_name("openapi.json"))
CHAT = {"messages": [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]}
LABELLED = {"messages": CHAT["messages"][:1], "labels": {"label": "yes"}}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
NUMBERS = {"n_epochs": 2, "learning_rate": 1e-4, "warmup_ratio": 0.1, "weight_decay": 0.01}


def line(row: Any) -> bytes:
    return json.dumps(row).encode() + b"\n"


def drive(mistral: Vendor) -> None:
    """Every call of the adapter for both kinds of job, with bodies as large as they get."""
    options = {"training_steps": "10", "seq_len": "1024", "auto_start": "false",
               "invalid_sample_skip_percentage": "0.1"}  # fmt: skip
    kinds = {
        "completion": (CHAT, {"options": options | {"fim_ratio": "0.5"}}),
        "classifier": (LABELLED, {"model": CLASSIFIER, "options": options | {
            "job_type": "classifier"}}),
    }  # fmt: skip
    for kind, (row, wishes) in kinds.items():
        provider = mistral.connect(job_type=kind)
        file = mistral.upload(provider, line(row))
        assert provider.find_upload(mistral.checked(provider, line(row))) is not None
        asked = spec(hyperparameters=NUMBERS, suffix="s", **wishes)
        body = provider.request(asked, file, file, kind)
        provider._jobs.dry_run(body)
        job = provider.create(body, kind)
        found = provider.find(kind)
        assert found is not None and found.id == job.id
        mistral.ahead += 10
        provider.resume(job.id)
        mistral.ahead += 60
        done = provider.get(job.id)
        assert done.model and provider.checkpoints(job.id)
        provider.history(job.id)
        message = {"role": "user", "content": "row?"}
        assert provider.chat(done.model, ChatRequest([message], [TOOL], seed=1)).text == "yes"
        provider.undeploy(provider.deploy(done.model))
        provider.delete_model(done.model)
        provider.cancel(provider.create(body, kind).id)
        provider.file_state(file)
        provider.purge(file)


def test_every_call_against_the_document(mistral: Vendor) -> None:
    drive(mistral)
    seen = set()
    for exchange in mistral.tape.exchanges:
        operation = LISTS.operation(exchange)
        assert operation and exchange.status == 200, exchange
        assert LISTS.unknown(exchange) == [], operation
        assert LISTS.missing(exchange) == [], operation
        seen.add(operation)
    assert seen == set(LISTS.operations), "an operation of the lists was never called"


def test_the_lists_see_a_wrong_field(mistral: Vendor) -> None:
    provider = mistral.connect()
    mistral.upload(provider, line(CHAT))
    (exchange,) = mistral.tape.exchanges
    exchange.sent |= {"colour": "red"}
    exchange.answered.pop("sample_type")
    assert (LISTS.unknown(exchange), LISTS.missing(exchange)) == ([".colour"], [".sample_type"])
