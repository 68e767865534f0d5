"""Two examples are the same if they are equal in this form.

The equivalences are those of ``ftbridge.dataset.formats.losses``: weight 1 and no weight, one
text part and a string, ``parallel_tool_calls`` true and absent, and so on.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ftbridge.dataset.types import Example, Message, Reward, Text, TextPart, to_json


def normal(example: Example) -> dict[str, Any]:
    """The example as plain data in which only what matters differs."""
    data: dict[str, Any] = msgspec.json.decode(to_json(example), type=dict[str, msgspec.Raw])
    found = {key: bytes(value) for key, value in data.items() if key != "metadata"}
    if isinstance(example, Text):
        return found
    if not isinstance(example, Reward):
        assert set(found) <= set(example.__struct_fields__)
    for field in ("messages", "prompt", "chosen", "rejected"):
        turns = getattr(example, field, None)
        if turns is not None:
            found[field] = [_message(message) for message in turns]  # type: ignore[assignment]
    if example.parallel_tool_calls is True:
        del found["parallel_tool_calls"]
    if example.tools is not None:
        found["tools"] = [_tool(tool) for tool in example.tools]  # type: ignore[assignment]
    return found


def _message(message: Message) -> bytes:
    content = message.content
    if isinstance(content, list):
        content = [_part(part) for part in content]
        if len(content) == 1 and isinstance(content[0], TextPart):
            content = content[0].text
    weight = None if message.weight == 1 else message.weight
    return msgspec.json.encode(msgspec.structs.replace(message, content=content, weight=weight))


def _part(part: Any) -> Any:
    if isinstance(part, TextPart) or part.image_url.detail != "auto":
        return part
    return msgspec.structs.replace(
        part, image_url=msgspec.structs.replace(part.image_url, detail=None)
    )


def _tool(tool: Any) -> bytes:
    function = tool.function
    if function.strict is False:
        function = msgspec.structs.replace(function, strict=None)
    return msgspec.json.encode(msgspec.structs.replace(tool, function=function))
