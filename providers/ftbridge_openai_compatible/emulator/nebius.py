"""What Nebius Token Factory answers differently from OpenAI.

Sources, read 2026-11-25: docs.tokenfactory.nebius.com (API reference, OpenAPI version 20260506:
fields and defaults of a job, HTTPValidationError with 422); the recorded answers in
github.com/nebius/token-factory-cookbook, post-training/fine-tuning-1 (commit 17181b2): files
without a status, events oldest first and without metrics, metrics in checkpoints. From a third
party's transcription of the docs, unverified: ranges, that ``method`` beside ``hyperparameters`` is
refused, ``result_files`` of a checkpoint, the absence of pause and resume.

Not emulated: deployment (a tuned model answers here at once), tags, from_checkpoint, and the
vendor's start in ``running``. Unknown fields are refused, which the vendor may not do.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from ftbridge.testing.openai_wire import (
    ROUTES,
    ApiError,
    Emulator,
    Handler,
    StoredFile,
    jobs,
)
from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Field, Flag, Number, Problem, Record, Text

PREFIX = "/nebius/v1"
_SFT = frozenset({"supervised"})
BASES = {
    "meta-llama/Llama-3.1-8B-Instruct": _SFT,
    "meta-llama/Llama-3.3-70B-Instruct": _SFT,
    "unsloth/gpt-oss-20b-BF16": _SFT,
}
_ABSENT = ("/pause", "/resume", "/graders/validate", "/graders/run")
DEFAULTS: dict[str, Any] = {
    "batch_size": 8, "learning_rate": 1e-5, "n_epochs": 3, "warmup_ratio": 0, "weight_decay": 0,
    "packing": True, "max_grad_norm": 1, "context_length": 8192, "lora": False, "lora_r": 8,
    "lora_alpha": 8, "lora_dropout": 0,
}  # fmt: skip
_SHARE = Field(Number(least=0, most=1))
HYPERPARAMETERS = {
    "batch_size": Field(Number(integer=True, least=1, most=32)),
    "learning_rate": Field(Number(above=0)),
    "n_epochs": Field(Number(integer=True, least=1, most=20)),
    "warmup_ratio": _SHARE,
    "weight_decay": Field(Number(least=0)),
    "packing": Field(Flag()),
    "max_grad_norm": Field(Number(above=0)),
    "context_length": Field(Number(integer=True, least=8192, most=131072)),
    "lora": Field(Flag()),
    "lora_r": Field(Number(integer=True, least=8, most=128)),
    "lora_alpha": Field(Number(least=8)),
    "lora_dropout": _SHARE,
}
_CREATE = Record(
    {
        "model": Field(Text(), required=True),
        "training_file": Field(Text(), required=True),
        "validation_file": Field(Text(), nullable=True),
        "hyperparameters": Field(Record(HYPERPARAMETERS)),
        "suffix": Field(Text(longest=64), nullable=True),
        "seed": Field(Number(integer=True), nullable=True),
    }
)


class Detailed(ApiError):
    """FastAPI's shape: ``{"detail": text}``."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, status=status)

    def body(self) -> dict[str, Any]:
        """The JSON document that the client gets."""
        return {"detail": self.message}


class Invalid(Detailed):
    """HTTPValidationError: ``{"detail": [{loc, msg, type}]}`` with 422."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message, 422)
        self.path = path

    def body(self) -> dict[str, Any]:
        """The JSON document that the client gets."""
        loc = ["body", *filter(None, self.path.split("."))]
        return {"detail": [{"loc": loc, "msg": self.message, "type": "value_error"}]}


def routes() -> list[tuple[str, str, Handler]]:
    """The routes that Nebius has, under its prefix."""
    found: list[tuple[str, str, Handler]] = []
    for method, path, handler in ROUTES:
        if path.endswith(_ABSENT) or (method, path) == ("DELETE", "/models/{model:path}"):
            continue
        chosen = create if (method, path) == ("POST", "/fine_tuning/jobs") else handler
        if path.endswith("/checkpoints"):
            chosen = checkpoints
        found.append((method, PREFIX + path, _shown(chosen)))
    return found


def _shown(handler: Handler) -> Handler:
    """A handler of the shared wire with its answers and errors in Nebius's form."""

    async def handle(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
        try:
            answer = await handler(emulator, call)
        except Detailed:
            raise
        except ApiError as error:
            raise Detailed(error.message, error.status) from error
        return answer if isinstance(answer, Response) else _view(emulator, answer)

    return handle


def _view(emulator: Emulator, answer: dict[str, Any]) -> dict[str, Any]:
    kind = answer.get("object")
    if kind == "list":
        rows = [_view(emulator, row) for row in answer["data"]]
        if rows and rows[0].get("object") == "fine_tuning.job.event":
            rows = [row for row in rows if row["type"] == "message"][::-1]
        return {**answer, "data": rows}
    if kind == "file" and "deleted" not in answer:
        return {**answer, "status": None}
    if kind == "fine_tuning.job":
        return _job(emulator, answer)
    return answer


def _job(emulator: Emulator, answer: dict[str, Any]) -> dict[str, Any]:
    job = emulator.store.jobs[answer["id"]]
    left_out = ("method", "metadata", "user_provided_suffix", "usage_metrics", "shared_with_openai")
    kept = {name: value for name, value in answer.items() if name not in left_out}
    given = json.loads((job.metadata or {}).get("given", "{}"))
    return {**kept, "suffix": job.suffix or None, "hyperparameters": {**DEFAULTS, **given}}


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine_tuning/jobs."""
    body = call.body
    if isinstance(body, dict) and "method" in body and "hyperparameters" in body:
        raise Invalid("method", "give either method or hyperparameters")
    for problem in _CREATE.problems(body):
        raise Invalid(problem.path, _words(problem))
    given = body.get("hyperparameters") or {}
    counted = {name: given[name] for name in ("n_epochs", "batch_size") if name in given}
    asked = {name: value for name, value in body.items() if name != "hyperparameters"}
    # What was given is kept where the shared wire has room for it; no answer shows that.
    asked |= {
        "method": {"type": "supervised", "supervised": {"hyperparameters": counted}},
        "metadata": {"given": json.dumps(given)},
    }
    return await jobs.create(emulator, replace(call, body=asked))


def _words(problem: Problem) -> str:
    wanted = f"; expected {problem.expected}" if problem.expected else ""
    return f"{problem.fault}{wanted}"


async def checkpoints(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine_tuning/jobs/{id}/checkpoints: each with the files of its adapter."""
    answer = await jobs.list_checkpoints(emulator, call)
    for row in answer["data"]:
        row["result_files"] = [_adapter_file(emulator, row, call.now)]
    return answer


def _adapter_file(emulator: Emulator, row: dict[str, Any], now: float) -> str:
    """The adapter's settings as a file that can be fetched; its weights are not emulated."""
    name = f"file-{row['id']}"
    if name not in emulator.store.files:
        content = json.dumps({"peft_type": "LORA", "step": row["step_number"]}).encode()
        emulator.store.files[name] = StoredFile(
            name, f"{row['id']}/adapter_config.json", "fine-tune-results", content, now
        )
    return name
