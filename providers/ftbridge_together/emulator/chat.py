"""``/v1/chat/completions``: a rehearsal, not a model. A tuned model answers with the nearest
training example's answer; a base model says the same sentence to everything."""

from __future__ import annotations

import secrets
from typing import Any

from ftbridge.testing.likeness import count_tokens, text_of
from ftbridge.testing.plumbing import Call

from . import lifecycle
from .errors import ApiError, not_found
from .schema import CHAT, MODELS, check
from .store import Emulator

BASE_ANSWER = "I am the base model of a sandbox, and I say this to everything."


async def complete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /chat/completions."""
    body = check(CHAT, call.body)
    if body.get("stream"):
        raise ApiError("the sandbox does not stream", "stream")
    answer = _answer(emulator, body, call.now)
    asked = sum(count_tokens(text_of(each.get("content"))) for each in body["messages"])
    said = count_tokens(answer)
    message = {"role": "assistant", "content": answer, "tool_calls": []}
    return {
        "id": secrets.token_hex(12),
        "object": "chat.completion",
        "created": int(call.now),
        "model": body["model"],
        "prompt": [],
        "choices": [
            {"index": n, "finish_reason": "stop", "seed": body.get("seed"), "message": message}
            for n in range(body.get("n", 1))
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "total_tokens": asked + said,
        },
    }


def _answer(emulator: Emulator, body: dict[str, Any], now: float) -> str:
    if body["model"] in MODELS:
        return BASE_ANSWER
    users = [text_of(each.get("content")) for each in body["messages"] if each["role"] == "user"]
    for job in emulator.store.jobs.values():
        ready = lifecycle.status(emulator, job, now) == "completed"
        if job.output_name == body["model"] and ready:
            return job.data.pairs.nearest(users[-1] if users else "")
    raise not_found(f"model {body['model']}")
