"""Requests and the emulator's answers against the vendor's OpenAPI document.

``openapi.json`` is trimmed from togethercomputer/openapi (openapi.yaml of 2026-04-28, read
2026-11-25): which fields a body may have, which an answer must have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_lists import Lists
from together_world import Vendor, spec

from ftbridge.errors import VendorError
from ftbridge.provider import ChatRequest
from ftbridge_together import request
from ftbridge_together.request import METHODS, TOP

LISTS = Lists(Path(__file__).with_name("openapi.json"))
CHAT = {"messages": [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]}
PAIR = {
    "input": {"messages": [{"role": "user", "content": "row?"}]},
    "preferred_output": [{"role": "assistant", "content": "yes"}],
    "non_preferred_output": [{"role": "assistant", "content": "no"}],
}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
UPLOAD = {"PUT /upload/", "POST /v1/files"}
"""What the document has another, older way for: the SDK's three steps of an upload."""
NUMBERS = {"n_epochs": 2, "batch_size": 8, "learning_rate": 1e-4, "lora_r": 8, "lora_alpha": 16,
           "lora_dropout": 0.1, "warmup_ratio": 0.1, "weight_decay": 0.01}  # fmt: skip


def options(method: str) -> dict[str, str]:
    """Every option that goes together, with a value that the emulator takes."""
    words = {
        "packing": "true", "early_stopping_enabled": "true", "train_on_inputs": "auto",
        "dpo_normalize_logratios_by_length": "true", "dpo_reference_free": "false",
        "from_hf_model": "me/model", "hf_model_revision": "main", "hf_output_repo_name": "me/out",
        "max_seq_length": "1024",
    }  # fmt: skip
    own = METHODS["sft" if method == "sft" else "dpo"]  # type: ignore[index]
    more = {"lr_scheduler_type": "cosine", "min_lr_ratio": "0.1", "scheduler_num_cycles": "0.5",
            "lora_trainable_modules": "q_proj", "train_vision": "false"}  # fmt: skip
    return {name: words.get(name, "1") for name in (*TOP, *own)} | more


def drive(together: Vendor) -> None:
    """Every call of the adapter, with bodies as large as they get."""
    provider = together.connect()
    chats = together.upload(provider, json.dumps(CHAT).encode() + b"\n")
    pairs = together.upload(provider, json.dumps(PAIR).encode() + b"\n")
    provider.preflight(spec())
    for method, file in (("sft", chats), ("dpo", pairs)):
        numbers: dict[str, Any] = NUMBERS | ({"beta": 0.2} if method == "dpo" else {})
        asked = spec(method=method, hyperparameters=numbers, seed=1, suffix="s",
                     options=options(method))  # fmt: skip
        job = provider.create(provider.request(asked, file, file, f"ftb-{method}"), method)
    body = request.create_body(asked, file, file, "")
    provider._client.fine_tuning.estimate_price(
        **{name: body[name] for name in ("training_file", "validation_file", "model", "n_epochs",
                                         "n_evals", "training_type", "training_method")}
    )  # fmt: skip
    together.ahead += 60
    assert provider.find("ftb-dpo") is not None and provider.get(job.id).model
    provider.history(job.id)
    provider.checkpoints(job.id)
    message = {"role": "user", "content": "row?"}
    provider.chat(str(provider.get(job.id).model), ChatRequest([message], [TOOL], seed=1))
    provider.download(job.id, together.home / "weights")
    again = provider.create(
        provider.request(spec(options={"from_checkpoint": f"{job.id}:1"}), chats, None, "k"), "k"
    )
    provider.cancel(again.id)
    provider.delete(job.id)
    provider.find_upload(together.checked(provider, b"{}"))
    provider.file_state(chats)
    provider.purge(chats)


def test_every_call_against_the_document(together: Vendor) -> None:
    drive(together)
    seen = set()
    for exchange in together.tape.exchanges:
        operation = LISTS.operation(exchange)
        if operation is None:
            assert any(f"{exchange.method} {exchange.path}".startswith(one) for one in UPLOAD)
            continue
        assert exchange.status == 200, exchange
        assert LISTS.unknown(exchange) == [], operation
        if exchange.answered is not None:
            assert LISTS.missing(exchange) == [], operation
        seen.add(operation)
    assert seen == set(LISTS.operations), "an operation of the lists was never called"


def test_the_lists_see_a_wrong_field(together: Vendor) -> None:
    provider = together.connect()
    file = together.upload(provider, json.dumps(CHAT).encode() + b"\n")
    body = provider.request(spec(), file, None, "k") | {"training_type": {"type": "Full", "x": 1}}
    with pytest.raises(VendorError):
        provider.create(body | {"colour": "red"}, "k")
    assert sorted(LISTS.unknown(together.tape.exchanges[-1])) == [".colour", ".training_type.x"]
    together.tape.exchanges[-1].answered = {"id": "ft-1", "status": "queued", "created_at": ""}
    assert LISTS.missing(together.tape.exchanges[-1]) == [".updated_at"]
