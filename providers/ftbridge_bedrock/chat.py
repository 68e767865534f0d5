"""Converse: one shape for every family of models (botocore 1.43.117, bedrock-runtime).

Converse has no seed; it takes images as bytes alone, and answers with tool uses whose input is an
object, where the canonical shape has the exact text of the arguments.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ftbridge.dataset.formats.parts import DATA_URL
from ftbridge.errors import UsageError
from ftbridge.provider import ChatReply, ChatRequest, Message

_CONTEXT = re.compile(r":\d+k$")
_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length",
            "tool_use": "tool_calls", "content_filtered": "content_filter"}  # fmt: skip


def inference_id(model: str, profile: str | None) -> str:
    """What the runtime calls a base model: without the context length of the id that is tuned.

    ``profile`` (``us``, ``eu``, ...) goes in front, where AWS serves the model only so.
    """
    plain = _CONTEXT.sub("", model)
    return f"{profile}.{plain}" if profile and not plain.startswith("arn:") else plain


def body(model: str, request: ChatRequest) -> dict[str, Any]:
    """The arguments of ``converse``."""
    system = [{"text": _text(each)} for each in request.messages if each["role"] == "system"]
    asked: dict[str, Any] = {
        "modelId": model,
        "messages": list(_turns(request.messages)),
        "inferenceConfig": {"maxTokens": request.max_tokens, "temperature": request.temperature},
    }
    if system:
        asked["system"] = system
    if request.tools:
        asked["toolConfig"] = {"tools": [_tool(each["function"]) for each in request.tools]}
    return asked


def reply(answer: Mapping[str, Any], seconds: float) -> ChatReply:
    """An answer in ftbridge's shape."""
    content = answer["output"]["message"]["content"]
    usage = answer.get("usage", {})
    reason = str(answer.get("stopReason") or "end_turn")
    return ChatReply(
        text="".join(block["text"] for block in content if "text" in block),
        tool_calls=tuple(_call(block["toolUse"]) for block in content if "toolUse" in block),
        prompt_tokens=int(usage.get("inputTokens", 0)),
        completion_tokens=int(usage.get("outputTokens", 0)),
        finish_reason=_REASONS.get(reason, reason),
        seconds=seconds,
    )


def _turns(messages: Any) -> Iterator[dict[str, Any]]:
    """User and assistant in turn: neighbours of one role are one turn, as the API demands."""
    held: dict[str, Any] | None = None
    for message in messages:
        if message["role"] == "system":
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        blocks = list(_blocks(message))
        if held is not None and held["role"] == role:
            held["content"] += blocks
            continue
        if held is not None:
            yield held
        held = {"role": role, "content": blocks}
    if held is not None:
        yield held


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    if message["role"] == "tool":
        said = [{"text": _text(message)}]
        yield {"toolResult": {"toolUseId": message["tool_call_id"], "content": said}}
        return
    content: Any = message.get("content")
    parts: Any = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for part in parts or ():
        if part["type"] == "text":
            if part["text"]:
                yield {"text": part["text"]}
        else:
            yield _image(part["image_url"]["url"])
    for call in message.get("tool_calls") or ():
        made = call["function"]
        given = json.loads(made["arguments"] or "{}")
        yield {"toolUse": {"toolUseId": call["id"], "name": made["name"], "input": given}}


def _image(url: str) -> dict[str, Any]:
    found = DATA_URL.match(url)
    if found is None:
        raise UsageError(
            "Converse takes images as bytes alone, not by address",
            hint="write the image as a data URL",
            where="messages",
        )
    kind = found["mime"].removeprefix("image/")
    return {"image": {"format": kind, "source": {"bytes": base64.b64decode(found["data"])}}}


def _text(message: Message) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content or () if part.get("type") == "text")


def _tool(function: Mapping[str, Any]) -> dict[str, Any]:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    spec: dict[str, Any] = {"name": function["name"], "inputSchema": {"json": schema}}
    if function.get("description"):
        spec["description"] = function["description"]
    return {"toolSpec": spec}


def _call(use: Mapping[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(use["input"], ensure_ascii=False)
    function = {"name": use["name"], "arguments": arguments}
    return {"id": use["toolUseId"], "type": "function", "function": function}
