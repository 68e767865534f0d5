"""Chats in our shape to Gemini's and back; the turns are written by the training format itself.

``generateContent`` of google-genai 2.34.0 (read 2026-11-25).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from ftbridge import clock
from ftbridge.dataset.types import Chat
from ftbridge.provider import ChatReply, ChatRequest
from ftbridge_vertex.convert import FORMAT
from ftbridge_vertex.failures import translated

if TYPE_CHECKING:
    from google import genai

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}


def ask(
    client: genai.Client, model: str, request: ChatRequest, thinking_budget: int | None
) -> ChatReply:
    """POST :generateContent of a tuned model's endpoint, or of a base by its id."""
    asked = {"messages": list(request.messages)}
    if request.tools:
        asked["tools"] = list(request.tools)
    line = json.loads(FORMAT.encode(msgspec.json.decode(json.dumps(asked), type=Chat)).line)
    config: dict[str, Any] = {
        "temperature": request.temperature,
        "max_output_tokens": request.max_tokens,
    }
    if request.seed is not None:
        config["seed"] = request.seed
    if "systemInstruction" in line:
        config["system_instruction"] = line["systemInstruction"]
    if "tools" in line:
        config["tools"] = line["tools"]
        config["automatic_function_calling"] = {"disable": True}
    if thinking_budget is not None:
        config["thinking_config"] = {"thinking_budget": thinking_budget}
    from google.genai import types

    began = clock.monotonic()
    with translated():
        made = client.models.generate_content(
            model=model,
            contents=line["contents"],
            config=types.GenerateContentConfig.model_validate(config),
        )
        return _reply(made.model_dump(mode="json", exclude_none=True), clock.monotonic() - began)


def _reply(data: dict[str, Any], seconds: float) -> ChatReply:
    candidate = data["candidates"][0]
    parts = (candidate.get("content") or {}).get("parts") or []
    usage = data.get("usage_metadata") or {}
    calls = tuple(
        _call(number, part["function_call"])
        for number, part in enumerate(parts)
        if part.get("function_call")
    )
    reason = str(candidate.get("finish_reason") or "STOP")
    return ChatReply(
        text="".join(part.get("text") or "" for part in parts if not part.get("thought")),
        tool_calls=calls,
        prompt_tokens=int(usage.get("prompt_token_count") or 0),
        completion_tokens=int(usage.get("candidates_token_count") or 0)
        + int(usage.get("thoughts_token_count") or 0),
        finish_reason="tool_calls" if calls else _FINISH.get(reason, reason.lower()),
        seconds=seconds,
    )


def _call(number: int, call: dict[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
    return {
        "id": call.get("id") or f"call_{number}",
        "type": "function",
        "function": {"name": call["name"], "arguments": arguments},
    }
