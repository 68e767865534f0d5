"""The format itself: what ``docs/dataset-format.md`` describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from ftbridge.dataset.formats.format import Converted, Format
from ftbridge.dataset.types import (
    Chat,
    Example,
    Json,
    Kind,
    Messages,
    Preference,
    Reward,
    Text,
    Tools,
    to_json,
)

CHAT_KEYS = frozenset(Chat.__struct_fields__)
REWARD_KEYS = frozenset(Reward.__struct_fields__) - {"extra"}


class RewardShape(msgspec.Struct, gc=False):
    """The known keys of a reward line; the others are kept beside it."""

    messages: Messages
    reference: Json = UNSET
    tools: Tools | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, Any] | None = None


_reward = msgspec.json.Decoder(RewardShape)
_keys = msgspec.json.Decoder(dict[str, Raw])


def decode_reward(line: bytes) -> Reward:
    """A line with ``messages`` and any further keys."""
    shape = _reward.decode(line)
    extra = {name: raw for name, raw in _keys.decode(line).items() if name not in REWARD_KEYS}
    return Reward(
        messages=shape.messages,
        reference=shape.reference,
        tools=shape.tools,
        parallel_tool_calls=shape.parallel_tool_calls,
        extra=extra,
        metadata=shape.metadata,
    )


DECODERS: dict[Kind, msgspec.json.Decoder[Any]] = {
    Kind.CHAT: msgspec.json.Decoder(Chat),
    Kind.PREFERENCE: msgspec.json.Decoder(Preference),
    Kind.TEXT: msgspec.json.Decoder(Text),
}


def decode_as(kind: Kind, line: bytes) -> Example:
    """A canonical line of a known kind, so that an error speaks of that kind."""
    if kind is Kind.REWARD:
        return decode_reward(line)
    example: Example = DECODERS[kind].decode(line)
    return example


def guess_kind(record: Mapping[str, Any]) -> Kind:
    """The kind of one canonical line by its keys, and by who speaks last."""
    if "chosen" in record or "rejected" in record:
        return Kind.PREFERENCE
    if "messages" not in record:
        return Kind.TEXT if "text" in record else Kind.CHAT
    return Kind.REWARD if "reference" in record or is_open_ended(record) else Kind.CHAT


def is_open_ended(record: Mapping[str, Any]) -> bool:
    """Whether ``messages`` end in a turn that waits for an answer."""
    messages = record.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    return isinstance(last, Mapping) and last.get("role") in ("user", "tool")


class Canonical(Format):
    """JSONL of the four kinds."""

    name = "canonical"
    kinds = tuple(Kind)

    def encode(self, example: Example) -> Converted:
        """The canonical line, ``metadata`` included: it is the user's own file."""
        return Converted(to_json(example))

    def decode(self, line: bytes) -> Example:
        """A line of any kind."""
        record = msgspec.json.decode(line)
        kind = guess_kind(record) if isinstance(record, dict) else Kind.CHAT
        return decode_as(kind, line)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """The keys of one of the four kinds, and our shape of content and calls."""
        keys = set(record)
        if "chosen" in keys and "rejected" in keys:
            return isinstance(record.get("prompt"), list)
        if keys <= {"text", "metadata"}:
            return "text" in keys
        return "messages" in keys and keys <= CHAT_KEYS | REWARD_KEYS


FORMAT = Canonical()
