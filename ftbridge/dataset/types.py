"""The one dataset format: JSONL, one example a line, of one of four kinds.

Chat is the shape that OpenAI, TRL and most tools read. The structs are msgspec's because
they are decoded once a line, and it decodes and validates faster than ``json`` alone parses
(``benchmarks/README.md``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType, field

Role = Literal["system", "user", "assistant", "tool"]
Name = Annotated[str, Meta(min_length=1)]
Json: TypeAlias = Raw | UnsetType
"""JSON kept undecoded, byte for byte; UNSET where absent (``Raw | None`` takes only null)."""


class Kind(StrEnum):
    """What an example is for: SFT, DPO, RL, continued pre-training."""

    CHAT = "chat"
    PREFERENCE = "preference"
    REWARD = "reward"
    TEXT = "text"


class _Strict(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Unknown keys are errors: a misspelt key would otherwise be lost silently."""


def _function() -> Literal["function"]:
    """The only type there is. A default by factory is written out, which every vendor needs."""
    return "function"


class TextPart(_Strict, tag_field="type", tag="text"):
    """A piece of text in a message of several parts."""

    text: str


class ImageUrl(_Strict):
    """Where an image is: an https address or a ``data:`` URL."""

    url: Name
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(_Strict, tag_field="type", tag="image_url"):
    """An image in a message of several parts."""

    image_url: ImageUrl


class FunctionCall(_Strict):
    """A call the assistant makes. ``arguments`` is JSON text, kept byte for byte."""

    name: Name
    arguments: str


class ToolCall(_Strict):
    """One entry of ``tool_calls``."""

    function: FunctionCall
    id: Name | None = None
    type: Literal["function"] = field(default_factory=_function)


class Function(_Strict):
    """What a tool offers; ``parameters`` is a JSON schema, kept byte for byte."""

    name: Name
    description: str | None = None
    parameters: Json = UNSET
    strict: bool | None = None


class Tool(_Strict):
    """One entry of ``tools``."""

    function: Function
    type: Literal["function"] = field(default_factory=_function)


Parts = Annotated[list[TextPart | ImagePart], Meta(min_length=1)]
Calls = Annotated[list[ToolCall], Meta(min_length=1)]


class Message(_Strict):
    """One turn. ``weight`` 0 keeps an assistant turn out of the loss."""

    role: Role
    content: str | Parts | None = None
    name: str | None = None
    tool_calls: Calls | None = None
    tool_call_id: str | None = None
    weight: Literal[0, 1] | None = None


Messages = Annotated[list[Message], Meta(min_length=1)]
Tools = Annotated[list[Tool], Meta(min_length=1)]


class Chat(_Strict):
    """A conversation to learn the assistant's turns from (SFT)."""

    messages: Messages
    tools: Tools | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, Any] | None = None


class Preference(_Strict):
    """A prompt with a better and a worse answer (DPO)."""

    prompt: Messages
    chosen: Messages
    rejected: Messages
    tools: Tools | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, Any] | None = None


class Reward(_Strict):
    """A prompt whose answers a grader scores (RL).

    ``reference`` and the ``extra`` keys (top-level keys of the line) are JSON that graders read,
    kept byte for byte; :meth:`fields` decodes them.
    """

    messages: Messages
    reference: Json = UNSET
    tools: Tools | None = None
    parallel_tool_calls: bool | None = None
    extra: dict[str, Raw] = {}
    metadata: dict[str, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """What a grader reads: ``reference`` and the further keys, as Python values."""
        raw = dict(self.extra)
        if isinstance(self.reference, Raw):
            raw["reference"] = self.reference
        return {name: msgspec.json.decode(value) for name, value in raw.items()}


class Text(_Strict):
    """Plain text to go on pre-training with."""

    text: Annotated[str, Meta(min_length=1)]
    metadata: dict[str, Any] | None = None


Example: TypeAlias = Chat | Preference | Reward | Text

KINDS: dict[type[Example], Kind] = {
    Chat: Kind.CHAT,
    Preference: Kind.PREFERENCE,
    Reward: Kind.REWARD,
    Text: Kind.TEXT,
}


def kind_of(example: Example) -> Kind:
    """The kind of an example."""
    return KINDS[type(example)]


def text_of(message: Message) -> str:
    """The text of a message: its parts joined, images left out, absent content empty."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    return "".join(part.text for part in message.content if isinstance(part, TextPart))


def messages_of(example: Example) -> list[Message]:
    """All messages in the order of the line; none for a text."""
    if isinstance(example, Text):
        return []
    if isinstance(example, Preference):
        return [*example.prompt, *example.chosen, *example.rejected]
    return example.messages


def prompt_of(example: Example) -> list[Message]:
    """What the model is given: before the last turn of a chat, all of a reward's messages."""
    if isinstance(example, Chat):
        return example.messages[:-1]
    if isinstance(example, Preference):
        return example.prompt
    return messages_of(example)


def tools_of(example: Example) -> list[Tool]:
    """The tools that an example offers."""
    return [] if isinstance(example, Text) else example.tools or []


def to_json(example: Example) -> bytes:
    """The example as one canonical line, without the line break."""
    if not isinstance(example, Reward):
        return msgspec.json.encode(example)
    line: dict[str, Any] = {"messages": example.messages}
    for name in ("reference", "tools", "parallel_tool_calls"):
        value = getattr(example, name)
        if value is not None and value is not UNSET:
            line[name] = value
    line |= example.extra
    if example.metadata is not None:
        line["metadata"] = example.metadata
    return msgspec.json.encode(line)
