"""The one dataset format: JSONL, one example a line, of one of four kinds.

Chat is the shape that OpenAI, TRL and most tools read. The structs are msgspec's because
they are decoded once a line, and it decodes and validates faster than ``json`` alone parses
(``benchmarks/README.md``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]


class Kind(StrEnum):
    """What an example is for: SFT, DPO, RL, continued pre-training."""

    CHAT = "chat"
    PREFERENCE = "preference"
    REWARD = "reward"
    TEXT = "text"


class _Strict(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Unknown keys are errors: a misspelt key would otherwise be lost silently."""


class TextPart(_Strict, tag_field="type", tag="text"):
    """A piece of text in a message of several parts."""

    text: str


class ImageUrl(_Strict):
    """Where an image is: an https address or a ``data:`` URL."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(_Strict, tag_field="type", tag="image_url"):
    """An image in a message of several parts."""

    image_url: ImageUrl


class FunctionCall(_Strict):
    """A call the assistant makes. ``arguments`` is JSON text, kept byte for byte."""

    name: str
    arguments: str


class ToolCall(_Strict):
    """One entry of ``tool_calls``."""

    function: FunctionCall
    id: str | None = None
    type: Literal["function"] = "function"


class Function(_Strict):
    """What a tool offers; ``parameters`` is a JSON schema, kept byte for byte."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw | None = None
    strict: bool | None = None


class Tool(_Strict):
    """One entry of ``tools``."""

    function: Function
    type: Literal["function"] = "function"


class Message(_Strict):
    """One turn. ``weight`` 0 keeps an assistant turn out of the loss."""

    role: Role
    content: str | list[TextPart | ImagePart] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    weight: Literal[0, 1] | None = None


class Chat(_Strict):
    """A conversation to learn the assistant's turns from (SFT)."""

    messages: list[Message]
    tools: list[Tool] | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, Any] | None = None


Example = Chat
"""Any example; later kinds join this union."""


def text_of(message: Message) -> str:
    """The text of a message: its parts joined, images left out, absent content empty."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    return "".join(part.text for part in message.content if isinstance(part, TextPart))
