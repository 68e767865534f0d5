"""What Azure usually answers to what is recorded; a provider to send it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftbridge.dataset.types import Kind
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.provider import Context
from ftbridge_azure_openai import Provider

KEY, TOKEN, ARM_TOKEN = "azure-key-secret", "entra-token-secret", "arm-token-secret"
TUNED = "gpt-4.1-mini-2025-04-14.ft-b044a9d3cf9c4228b5d393567f693b83"
JOB = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1_790_000_000,
    "model": "gpt-4.1-mini-2025-04-14",
    "status": "pending",
    "training_file": "file-1",
    "hyperparameters": {},
    "result_files": [],
    "organization_id": "",
    "seed": 1,
}
CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
    ],
}


def usual(method: str, path: str) -> Any:
    """What the path asks for."""
    if path.endswith("/completions"):
        return CHAT
    if path.startswith("/subscriptions/"):
        return {"properties": {"provisioningState": "Succeeded"}}
    if path.endswith("/jobs") and method == "GET":
        return {"object": "list", "data": [JOB], "has_more": False}
    return JOB


def connect(**options: str) -> Provider:
    return Provider(Context(Path(), options))


def spec(**changes: Any) -> JobSpec:
    training = DataRef(path="d", sha256="s", kind=Kind.CHAT, examples=12, bytes=10)
    base = {"provider": "azure_openai", "model": "gpt-4.1-mini-2025-04-14", "training": training}
    return JobSpec.model_validate(base | changes)
