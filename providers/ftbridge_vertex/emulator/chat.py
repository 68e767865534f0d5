"""generateContent, streamed and not, and countTokens: a rehearsal, not a model.

A tuned model answers at its endpoint with the model turn of the nearest training example; base
models say one sentence to everything. Unverified: the chunks of a stream, which fields an answer
leaves out, and the 404 for an endpoint without its model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from ftbridge.testing.plumbing import Call

from . import endpoints, jobs
from .data import Parts, parts_text, tokens_of
from .errors import not_found
from .paging import parameters
from .schema import COUNT, GENERATE, checked
from .store import Emulator, new_id, stamp

BASE_ANSWER = "I am the base model of a sandbox, and I say this to everything."


def _base(call: Call) -> str:
    model = call.path["model"]
    known = jobs.GEMINI if call.path["publisher"] == "google" else frozenset[str]()
    if model not in known:
        raise not_found(f"Publisher Model `publishers/{call.path['publisher']}/models/{model}`")
    return model


def _spoken(emulator: Emulator, call: Call, body: dict[str, Any]) -> tuple[Parts, str]:
    """What is said, and the version of the model that says it."""
    if "model" in call.path:
        return [{"text": BASE_ANSWER}], _base(call)
    each = endpoints.find(emulator, call.path["id"], call.path["location"], call.now)
    job = endpoints.served(emulator, each, call.now)
    users = [turn for turn in body["contents"] if turn.get("role", "user") == "user"]
    asked = parts_text(users[-1]["parts"]) if users else ""
    return job.data.pairs.nearest(asked), f"{job.base_model}@tuned"


def _answer(call: Call, body: dict[str, Any], parts: Parts, version: str) -> dict[str, Any]:
    most = body.get("generationConfig", {}).get("maxOutputTokens")
    reason = "STOP"
    if most is not None and tokens_of(parts_text(parts)) > most:
        reason, parts = "MAX_TOKENS", [{"text": parts_text(parts)[: most * 4]}]
    prompt, said = _prompt_tokens(body), tokens_of(parts_text(parts))
    count = body.get("generationConfig", {}).get("candidateCount", 1)
    content = {"role": "model", "parts": parts}
    return {
        "candidates": [
            {"content": content, "finishReason": reason, **({"index": index} if index else {})}
            for index in range(count)
        ],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": said * count,
            "totalTokenCount": prompt + said * count,
            "trafficType": "ON_DEMAND",
        },
        "modelVersion": version,
        "createTime": stamp(call.now),
        "responseId": new_id(),
    }


def _prompt_tokens(body: dict[str, Any]) -> int:
    turns = [
        *body["contents"],
        *([body["systemInstruction"]] if "systemInstruction" in body else []),
    ]
    return sum(tokens_of(parts_text(turn["parts"])) for turn in turns)


async def generate(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST :generateContent of an endpoint or of a publisher's model."""
    parameters(call)
    body = checked(GENERATE, call.body)
    parts, version = _spoken(emulator, call, body)
    return _answer(call, body, parts, version)


async def stream(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
    """POST :streamGenerateContent?alt=sse: two chunks, the second with the usage."""
    parameters(call)
    body = checked(GENERATE, call.body)
    parts, version = _spoken(emulator, call, body)
    whole = _answer(call, body, parts, version)
    return StreamingResponse(_chunks(whole), media_type="text/event-stream")


def _chunks(whole: dict[str, Any]) -> Iterator[str]:
    said = whole["candidates"][0]
    ending = {"content": {"role": "model", "parts": [{"text": ""}]}}
    last = {**whole, "candidates": [{**ending, "finishReason": said["finishReason"]}]}
    first = {**whole, "candidates": [{"content": said["content"]}]}
    first.pop("usageMetadata")
    for chunk in (first, last):
        yield f"data: {json.dumps(chunk)}\r\n\r\n"


async def count_tokens(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST :countTokens."""
    parameters(call)
    body = checked(COUNT, call.body)
    _spoken(emulator, call, body)
    characters = sum(len(parts_text(turn["parts"])) for turn in body["contents"])
    return {"totalTokens": _prompt_tokens(body), "totalBillableCharacters": characters}


async def publisher_model(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET publishers/P/models/M."""
    parameters(call, "view", "languageCode", "huggingFaceToken")
    model = _base(call)
    return {
        "name": f"publishers/google/models/{model}",
        "versionId": "default",
        "openSourceCategory": "PROPRIETARY",
        "launchStage": "GA",
    }
