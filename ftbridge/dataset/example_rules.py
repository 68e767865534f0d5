"""Rules about one example that a vendor may have; ``rules.toml`` says which, and their values.

Each is a function of the rule's value and the example as it would be sent, and yields what is
wrong: the field, what, and what to do. ``{vendor}`` in a sentence is filled in by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from ftbridge.dataset.types import (
    Chat,
    Example,
    ImagePart,
    Message,
    Preference,
    Text,
    text_of,
    tools_of,
)

Look = Callable[[Any, Example], Iterator[str]]


def _lists(example: Example) -> Iterator[tuple[str, list[Message]]]:
    if isinstance(example, Preference):
        yield "prompt", example.prompt
        yield "chosen", example.chosen
        yield "rejected", example.rejected
    elif not isinstance(example, Text):
        yield "messages", example.messages


def _roles(allowed: list[str], example: Example) -> Iterator[str]:
    for field, messages in _lists(example):
        for index, message in enumerate(messages):
            if message.role not in allowed:
                yield (
                    f"`{field}[{index}].role`: {{vendor}} has no {message.role} turns; use "
                    f"{', '.join(allowed)}"
                )


def _alternation(wanted: bool, example: Example) -> Iterator[str]:
    field, messages = next(_lists(example), ("", []))
    expected = "user"
    for index, message in enumerate(messages):
        if message.role == "system" and index == 0:
            continue
        speaker = "assistant" if message.role == "assistant" else "user"
        after_result = message.role == "tool" or (index and messages[index - 1].role == "tool")
        if wanted and speaker != expected and not after_result:
            yield (
                f"`{field}[{index}].role`: {{vendor}} wants user and assistant by turns, the user "
                "first; merge or add a turn"
            )
            return
        expected = "user" if speaker == "assistant" else "assistant"


def _answer_turns(most: int, example: Example) -> Iterator[str]:
    if isinstance(example, Preference):
        for field in ("chosen", "rejected"):
            if len(getattr(example, field)) > most:
                yield f"`{field}`: {{vendor}} takes {most} answer turn; move the others to `prompt`"


def _no_images(wanted: bool, example: Example) -> Iterator[str]:
    for field, index, _ in _images(example):
        if wanted:
            yield f"`{field}[{index}].content`: {{vendor}} takes no images here; leave them out"


def _images(example: Example) -> Iterator[tuple[str, int, ImagePart]]:
    for field, messages in _lists(example):
        for index, message in enumerate(messages):
            for part in message.content if isinstance(message.content, list) else ():
                if isinstance(part, ImagePart):
                    yield field, index, part


def _max_images(most: int, example: Example) -> Iterator[str]:
    count = sum(1 for _ in _images(example))
    if count > most:
        yield f"`messages`: {count} images; {{vendor}} takes at most {most}; leave some out"


def _data_images(wanted: bool, example: Example) -> Iterator[str]:
    for field, index, part in _images(example):
        if wanted and not part.image_url.url.startswith("data:"):
            yield (
                f"`{field}[{index}].content`: {{vendor}} takes images as data URLs only; encode "
                "the image as base64"
            )


def _max_image_url(most: int, example: Example) -> Iterator[str]:
    for field, index, part in _images(example):
        if len(part.image_url.url) > most:
            yield f"`{field}[{index}].content`: an image over {{vendor}}'s limit; make it smaller"


def _names(example: Example) -> Iterator[tuple[str, str]]:
    for index, tool in enumerate(tools_of(example)):
        yield f"tools[{index}].function.name", tool.function.name
    for field, messages in _lists(example):
        for index, message in enumerate(messages):
            for call in message.tool_calls or ():
                yield f"{field}[{index}].tool_calls", call.function.name


def _function_name(pattern: str, example: Example) -> Iterator[str]:
    for field, name in _names(example):
        if not _fits(pattern, name):
            yield f"`{field}`: {{vendor}} wants function names like {pattern}; rename it"


@lru_cache(maxsize=1024)
def _fits(pattern: str, name: str) -> bool:
    """A file repeats few names often."""
    return re.fullmatch(pattern, name) is not None


def _tool_call_id(pattern: str, example: Example) -> Iterator[str]:
    for field, messages in _lists(example):
        for index, message in enumerate(messages):
            for call in message.tool_calls or ():
                if not re.fullmatch(pattern, call.id or ""):
                    yield (
                        f"`{field}[{index}].tool_calls`: {{vendor}} wants ids like "
                        f"{pattern}; change them"
                    )


def _call_ids(wanted: bool, example: Example) -> Iterator[str]:
    for field, messages in _lists(example):
        for index, message in enumerate(messages):
            calls = message.tool_calls
            if calls and wanted and any(call.id is None for call in calls):
                yield f"`{field}[{index}].tool_calls`: {{vendor}} wants an `id` on each; add it"


def _schema_types(allowed: list[str], example: Example) -> Iterator[str]:
    for index, tool in enumerate(tools_of(example)):
        raw = tool.function.parameters
        if isinstance(raw, Raw) and (wrong := _wrong_types(bytes(raw), tuple(allowed))):
            yield (
                f"`tools[{index}].function.parameters{wrong}`: no type of JSON Schema, which "
                f"{{vendor}} wants; use {', '.join(allowed)}"
            )


@lru_cache(maxsize=1024)
def _wrong_types(raw: bytes, allowed: tuple[str, ...]) -> str | None:
    """The path of the first type that is not allowed; a file repeats few schemas often."""
    try:
        schema = msgspec.json.decode(raw)
        if not isinstance(schema, dict):
            return ""
        return next(_bad_schema(schema, "", allowed), None)
    except (msgspec.DecodeError, RecursionError):
        return ""


def _bad_schema(schema: Any, path: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in allowed:
            yield f"{path}.type"
    members = schema.get("properties")
    for name, member in members.items() if isinstance(members, dict) else ():
        yield from _bad_schema(member, f"{path}.properties.{name}", allowed)
    yield from _bad_schema(schema.get("items"), f"{path}.items", allowed)


def _reserved_starts(words: list[str], example: Example) -> Iterator[str]:
    for field, messages in _lists(example):
        for index, message in enumerate(messages):
            word = next((w for w in words if text_of(message).startswith(w)), None)
            if word:
                yield (
                    f"`{field}[{index}].content`: begins with {word}, which {{vendor}} reserves; "
                    "reword it"
                )


EXAMPLE_RULES: dict[str, Look] = {
    "alternation": _alternation,
    "answer_turns": _answer_turns,
    "call_ids": _call_ids,
    "data_images": _data_images,
    "function_name": _function_name,
    "max_image_url": _max_image_url,
    "max_images": _max_images,
    "no_images": _no_images,
    "reserved_starts": _reserved_starts,
    "roles": _roles,
    "schema_types": _schema_types,
    "tool_call_id": _tool_call_id,
}

BESIDE_TEXTS = frozenset({
    "answer_turns", "call_ids", "data_images", "function_name", "max_image_url", "max_images",
    "no_images", "schema_types", "tool_call_id",
})  # fmt: skip
"""Rules that have nothing to say of :func:`only_texts`, which most examples are."""


def only_texts(example: Example) -> bool:
    """Whether it is a chat without tools, calls and parts."""
    if type(example) is not Chat or example.tools is not None:
        return False
    for message in example.messages:
        if type(message.content) is not str or message.tool_calls is not None:
            return False
    return True
