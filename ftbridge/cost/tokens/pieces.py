"""What the chat templates are written with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from ftbridge.dataset.types import Message, Tool, ToolCall, text_of

S = "\0"
"""One special token, whatever it is called: texts on its two sides are cut apart from each other.
A NUL within a text is taken for another control character, which is one token as well."""


class Template(NamedTuple):
    """How a family writes a conversation, its tools, and a plain text."""

    render: Callable[[Sequence[Message], str], str]
    tools: Callable[[Sequence[Tool]], str]
    text: Callable[[str], str] = lambda text: f"{text}{S}"


def clean(message: Message) -> str:
    """The text, free of the mark."""
    return text_of(message).replace(S, "\1")


def decoded(text: str) -> object:
    """The value of a JSON text; the text itself where it is none."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def arguments(call: ToolCall) -> str:
    """As a template writes the object that trainers make of the text."""
    return json.dumps(decoded(call.function.arguments), ensure_ascii=False)


def spaced(tool: Tool) -> str:
    """A tool on one line, with blanks."""
    return json.dumps(ordered(tool), ensure_ascii=False)


def indented(tool: Tool) -> str:
    """A tool on many lines."""
    return json.dumps(ordered(tool), ensure_ascii=False, indent=4)


def ordered(tool: Tool) -> dict[str, object]:
    """A tool as people write it: the type first."""
    content = _builtins(msgspec.json.encode(tool))
    return {"type": "function", "function": content["function"]}


@lru_cache(maxsize=1024)
def _builtins(line: bytes) -> dict[str, object]:
    """A file repeats few tools often."""
    content: dict[str, object] = msgspec.json.decode(line)
    return content


def compact_tools(tools: Sequence[Tool]) -> str:
    """Each tool as JSON without blanks, on a line of its own."""
    return _compact(msgspec.json.encode(tools))


@lru_cache(maxsize=1024)
def _compact(tools: bytes) -> str:
    """A file repeats few lists often; schemas are kept as they were written, blanks and all."""
    return "\n".join(msgspec.json.encode(tool).decode() for tool in msgspec.json.decode(tools))
