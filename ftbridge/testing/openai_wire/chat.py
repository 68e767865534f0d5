"""``/v1/chat/completions``: a rehearsal, not a model.

A tuned model answers with the assistant turn of the training example whose last user text is
nearest by shared words; a base model says the same sentence to everything. ``usage`` counts
words at white space x 4/3. Reasoning models refuse a temperature; other sampling settings,
``stop`` and token limits are taken and ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from ftbridge.testing.likeness import count_tokens, text_of
from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Fault

from . import models
from .data import Answer
from .errors import ApiError, from_problem, no_such_model
from .schema import CHAT
from .store import Emulator, new_id

BASE_ANSWER = "I am the base model of a sandbox, and I say this to everything."


async def complete(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
    """POST /chat/completions."""
    body = call.body
    for problem in CHAT.problems(body):
        if problem.fault is Fault.UNKNOWN and "." not in problem.path:
            message = f"Unrecognized request argument supplied: {problem.path}"
            raise ApiError(message)
        raise from_problem(problem)
    if models.root(body["model"]) in models.REASONING and body.get("temperature") not in (None, 1):
        message = "Unsupported value: 'temperature' can only be 1 with this model."
        raise ApiError(message, "temperature", "unsupported_value")
    answer = _answer(emulator, body, call.now)
    usage = _usage(body["messages"], answer, body.get("n") or 1)
    head = {
        "id": new_id("chatcmpl-", 29),
        "created": int(call.now),
        "model": models.resolve(body["model"]),
        "service_tier": "default",
        "system_fingerprint": None,
    }
    if body.get("stream"):
        wanted = bool((body.get("stream_options") or {}).get("include_usage"))
        stream = _stream(head, answer, body.get("n") or 1, usage if wanted else None)
        return StreamingResponse(stream, media_type="text/event-stream")
    choices = [_choice(index, answer) for index in range(body.get("n") or 1)]
    return {**head, "object": "chat.completion", "choices": choices, "usage": usage}


def _answer(emulator: Emulator, body: dict[str, Any], now: float) -> Answer:
    model = body["model"]
    if models.root(model) in models.COMPLETION_MODELS:
        message = "This is not a chat model and thus not supported by v1/chat/completions."
        raise ApiError(message, "model", status=404)
    if models.resolve(model) in models.bases(emulator):
        return Answer(BASE_ANSWER)
    job = models.tuned_job(emulator, model, now)
    if job is None:
        raise no_such_model(model)
    asked = [text_of(m.get("content")) for m in body["messages"] if m["role"] == "user"]
    return job.data.pairs.nearest(asked[-1] if asked else "")


def _usage(messages: list[dict[str, Any]], answer: Answer, n: int) -> dict[str, Any]:
    prompt = sum(count_tokens(text_of(message.get("content"))) for message in messages)
    said = (answer.content or "") + " " + json.dumps(answer.tool_calls or "")
    completion = n * count_tokens(said if answer.tool_calls else answer.content or "")
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _reason(answer: Answer) -> str:
    return "tool_calls" if answer.tool_calls else "stop"


def _choice(index: int, answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.content, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = answer.tool_calls
    return {
        "index": index,
        "message": message,
        "logprobs": None,
        "finish_reason": _reason(answer),
    }


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    """An answer in pieces: role, words, tool calls."""
    yield {"role": "assistant", "content": ""}
    words = (answer.content or "").split(" ")
    for number, word in enumerate(words):
        if piece := word if number == 0 else f" {word}":
            yield {"content": piece}
    for number, tool_call in enumerate(answer.tool_calls or []):
        yield {"tool_calls": [{"index": number, **tool_call}]}


def _stream(
    head: dict[str, Any], answer: Answer, n: int, usage: dict[str, Any] | None
) -> Iterator[str]:
    """Server-sent events, ended by ``[DONE]``; with usage asked for, one more chunk before it."""
    head = {**head, "object": "chat.completion.chunk"}
    tail = {} if usage is None else {"usage": None}
    for index in range(n):
        pieces = [(delta, None) for delta in _deltas(answer)]
        for delta, reason in [*pieces, ({}, _reason(answer))]:
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
            yield _event({**head, "choices": [choice], **tail})
    if usage is not None:
        yield _event({**head, "choices": [], "usage": usage})
    yield "data: [DONE]\n\n"


def _event(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk)}\n\n"
