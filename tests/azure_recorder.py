"""A server that records what is sent to Azure and answers as planned; a provider to send it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

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


@dataclass
class Recorder:
    """Keeps every request and gives the next planned answer, else what the path asks for."""

    url: str = ""
    seen: list[tuple[str, str, dict[str, str], dict[str, str], Any]] = field(default_factory=list)
    plan: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)

    async def answer(self, request: Request) -> JSONResponse:
        raw = await request.body()
        path, query = request.url.path, dict(request.query_params)
        body = json.loads(raw) if raw[:1] == b"{" else None
        self.seen.append((request.method, path, query, dict(request.headers), body))
        if self.plan:
            status, content, headers = self.plan.pop(0)
            return JSONResponse(content, status, headers)
        if path.endswith("/completions"):
            return JSONResponse(CHAT)
        if path.startswith("/subscriptions/"):
            return JSONResponse({"properties": {"provisioningState": "Succeeded"}})
        if path.endswith("/jobs") and request.method == "GET":
            return JSONResponse({"object": "list", "data": [JOB], "has_more": False})
        return JSONResponse(JOB)


def connect(**options: str) -> Provider:
    return Provider(Context(Path(), options))


def spec(**changes: Any) -> JobSpec:
    training = DataRef(path="d", sha256="s", kind=Kind.CHAT, examples=12, bytes=10)
    base = {"provider": "azure_openai", "model": "gpt-4.1-mini-2025-04-14", "training": training}
    return JobSpec.model_validate(base | changes)
