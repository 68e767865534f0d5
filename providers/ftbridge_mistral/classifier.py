"""Classifier lines: a chat whose last answer is its label, and the answers of a tuned classifier.

Source: classifier_factory.md of mistralai/platform-docs-public (marked deprecated; read
2026-11-25), and ClassificationResponse of ``mistralai`` 3.7.0. One target, one label a row: more
has no place in a chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from ftbridge.dataset.formats.format import Converted, unformed
from ftbridge.dataset.formats.parts import Losses, drop_tool_settings
from ftbridge.dataset.types import Chat, Example, Message, Messages, text_of
from ftbridge.provider import ChatReply
from ftbridge_mistral.convert import FORMAT


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    labels: dict[str, str]
    messages: Messages | None = None
    text: str | None = None


_line = msgspec.json.Decoder(_Line)
_keys = msgspec.json.Decoder(dict[str, Raw])


def encode(example: Example, target: str) -> Converted:
    """All turns but the last, and the last one's text as the label of ``target``.

    Raises:
        DataError: the example is no chat, or ends with no plain answer.
    """
    if not isinstance(example, Chat):
        raise unformed("a classifier learns from chats, whose last answer is the label")
    *prompt, last = example.messages
    label = text_of(last)
    if last.role != "assistant" or last.tool_calls or not label or not prompt:
        raise unformed("a classifier needs a last turn of the assistant that is a label, in text")
    losses = Losses()
    drop_tool_settings(example, losses, tools=False)
    losses.add("weight_dropped", any(message.weight == 0 for message in prompt))
    bare = [msgspec.structs.replace(message, weight=None) for message in prompt]
    line, more = FORMAT.encode(Chat(bare))
    labels = msgspec.json.encode({target: label})
    return Converted(line[:-1] + b',"labels":' + labels + b"}", tuple(sorted({*losses(), *more})))


def is_line(line: bytes) -> bool:
    """Whether a line is of this shape."""
    return "labels" in _keys.decode(line)


def decode(line: bytes) -> Example:
    """The inverse; raw text is a user's turn. Raises DataError for more than one label."""
    found = _line.decode(line)
    if len(found.labels) != 1 or (found.messages is None) is (found.text is None):
        raise unformed("a chat holds one label of one target, and either `messages` or `text`")
    prompt = found.messages or [Message(role="user", content=found.text)]
    (label,) = found.labels.values()
    return Chat([*prompt, Message(role="assistant", content=label)])


def reply(made: Mapping[str, Any], target: str, seconds: float) -> ChatReply:
    """The likeliest label of the target as the answer; the first of equals by name."""
    scores: Mapping[str, float] = made["results"][0][target]["scores"]
    return ChatReply(text=min(scores, key=lambda name: (-scores[name], name)), seconds=seconds)
