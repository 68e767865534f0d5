"""Chat completions: a rehearsal, not a model.

A tuned model answers with the assistant turn of the nearest training example, but only while it
is deployed; the vendor's bases (taken as serverless here) say one sentence to everything. The SDK
posts to ``/v1/chat/completions`` of an address that it was given, and to ``/inference/v1/...`` of
the vendor's own: both are served. The 404 for what is not deployed is unverified.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from ftbridge.testing.likeness import count_tokens, text_of
from ftbridge.testing.plumbing import Call

from . import models, serving
from .errors import ApiError
from .paging import id_of, parameters
from .schema import CHAT
from .store import Emulator, new_id

BASE_ANSWER = "I am the base model of a sandbox, and I say this to everything."


async def complete(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
    """POST chat/completions."""
    parameters(call, ())
    body = call.body
    for problem in CHAT.problems(body):
        wrong = f"{problem.path or 'body'}: {problem.fault} {problem.expected}".rstrip()
        raise ApiError("INVALID_ARGUMENT", wrong, inference=True)
    message = _answer(emulator, body, call.now)
    head = {"id": f"chatcmpl-{new_id()}", "created": int(call.now), "model": body["model"]}
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    if body.get("stream"):
        return StreamingResponse(_stream(head, message, reason), media_type="text/event-stream")
    prompt = sum(count_tokens(text_of(each.get("content"))) for each in body["messages"])
    count = body.get("n") or 1
    said = count * count_tokens(json.dumps(message))
    return {
        **head,
        "object": "chat.completion",
        "choices": [
            {"index": index, "message": message, "finish_reason": reason} for index in range(count)
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": said,
            "total_tokens": prompt + said,
        },
    }


def _answer(emulator: Emulator, body: dict[str, Any], now: float) -> dict[str, Any]:
    asked = body["model"]
    if asked in models.BASES:
        return {"role": "assistant", "content": BASE_ANSWER}
    missing = ApiError("NOT_FOUND", "Model not found, inaccessible, and/or not deployed", True)
    if not serving.served(emulator, asked, now):
        raise missing
    model = asked.partition("#")[0]
    if model in models.BASES:
        return {"role": "assistant", "content": BASE_ANSWER}
    job = models.tuned(emulator, id_of(model, "models", "model"), now)
    users = [text_of(each.get("content")) for each in body["messages"] if each["role"] == "user"]
    answer = job.data.pairs.nearest(users[-1] if users else "")
    kept: dict[str, Any] = {key: answer[key] for key in ("content", "tool_calls") if key in answer}
    return {"role": "assistant", **kept}


def _stream(head: dict[str, Any], message: dict[str, Any], reason: str) -> Iterator[str]:
    def chunk(delta: dict[str, Any], end: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        line = {**head, "object": "chat.completion.chunk", "choices": [choice]}
        return f"data: {json.dumps(line)}\n\n"

    yield chunk({"role": "assistant"})
    for number, word in enumerate((message.get("content") or "").split(" ")):
        yield chunk({"content": word if number == 0 else f" {word}"})
    for number, each in enumerate(message.get("tool_calls") or []):
        yield chunk({"tool_calls": [{"index": number, **each}]})
    yield chunk({}, reason)
    yield "data: [DONE]\n\n"
