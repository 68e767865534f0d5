"""One logged message, as OpenAI's API or LangChain writes it, as ours."""

from __future__ import annotations

from typing import Any

import msgspec

from ftbridge.errors import DataError

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "humanmessage": "user",
    "systemmessage": "system",
    "assistant": "assistant",
    "ai": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "tool": "tool",
    "toolmessage": "tool",
}


def message(value: Any, fallback: str) -> dict[str, Any]:
    """A message in our shape; a bare text is from ``fallback``.

    Takes OpenAI's ``role`` and ``content``, LangChain's constructor form (``lc``, ``id``,
    ``kwargs``), and its ``type`` with ``data`` or with the fields beside it.

    Raises:
        DataError: where the speaker or a part of the content is not known.
    """
    if isinstance(value, str):
        return {"role": fallback, "content": value}
    if not isinstance(value, dict):
        raise DataError("a message must be an object")
    fields, speaker = _fields(value)
    role = _ROLES.get(str(speaker).lower())
    if role is None:
        raise DataError("a message from an unknown speaker; its `role` must be one of ours")
    made: dict[str, Any] = {"role": role}
    content = _content(fields.get("content"))
    calls = _calls(fields)
    if calls and role == "assistant":
        made["tool_calls"] = calls
    if content or not calls:
        made["content"] = content
    for name in ("name", "tool_call_id"):
        if fields.get(name) and (name == "name" or role == "tool"):
            made[name] = fields[name]
    return made


def _fields(value: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The fields of a message and who speaks."""
    if "lc" in value and isinstance(value.get("kwargs"), dict):
        path = value.get("id")
        return value["kwargs"], path[-1] if isinstance(path, list) and path else ""
    if isinstance(value.get("data"), dict):
        return value["data"], value.get("type")
    return value, value.get("role") or value.get("type")


def _content(content: Any) -> Any:
    if not isinstance(content, list):
        return content or ""
    parts: list[dict[str, Any]] = []
    for part in content:
        if isinstance(part, str):
            parts.append({"type": "text", "text": part})
        elif isinstance(part, dict) and part.get("type") in ("text", "input_text", "output_text"):
            parts.append({"type": "text", "text": part.get("text", "")})
        elif isinstance(part, dict) and part.get("type") == "image_url":
            image = part.get("image_url")
            image = {"url": image} if isinstance(image, str) else image
            parts.append({"type": "image_url", "image_url": image})
        elif not (isinstance(part, dict) and part.get("type") == "tool_use"):
            raise DataError("a content part that is neither text nor image")
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _calls(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Tool calls; OpenAI's own form is preferred, its arguments are still the exact text."""
    kept = fields.get("additional_kwargs")
    exact = kept.get("tool_calls") if isinstance(kept, dict) else None
    calls = exact or fields.get("tool_calls") or []
    if not isinstance(calls, list):
        raise DataError("`tool_calls` must be a list")
    return [_call(call) for call in calls]


def _call(call: Any) -> dict[str, Any]:
    if not isinstance(call, dict):
        raise DataError("a tool call must be an object")
    function = call.get("function") if isinstance(call.get("function"), dict) else call
    assert isinstance(function, dict)
    arguments = function.get("arguments", function.get("args", "{}"))
    if not isinstance(arguments, str):
        arguments = msgspec.json.encode(arguments).decode()
    made = {"type": "function", "function": {"name": function.get("name"), "arguments": arguments}}
    return made | ({"id": call["id"]} if call.get("id") else {})
