"""What several converters do to messages: drop with a record, join, merge, link."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from ftbridge.dataset.formats.format import unformed
from ftbridge.dataset.types import Chat, Example, Message, Text, TextPart, ToolCall

DATA_URL = re.compile(r"^data:(?P<mime>[^;,]+);base64,(?P<data>[^,]*)$", re.DOTALL)

_object = msgspec.json.Decoder(dict[str, Raw])


class Losses:
    """The codes met while one example is converted."""

    def __init__(self) -> None:
        self._codes: set[str] = set()

    def add(self, code: str, when: object = True) -> None:
        """Remember a code, if it applies."""
        if when:
            self._codes.add(code)

    def __call__(self) -> tuple[str, ...]:
        return tuple(sorted(self._codes))


class Turn(NamedTuple):
    """A turn that is nothing but text."""

    role: str
    text: str


def drop_tool_settings(example: Example, losses: Losses, *, tools: bool) -> None:
    """Record what a format without these settings leaves out; ``tools``: it has tools."""
    if isinstance(example, Text):
        return
    losses.add("parallel_tool_calls_dropped", example.parallel_tool_calls is False)
    if not tools:
        losses.add("tools_dropped", example.tools)


def plain_text(message: Message, losses: Losses) -> str:
    """The content as one text."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    texts = [part.text for part in message.content if isinstance(part, TextPart)]
    losses.add("image_dropped", len(texts) < len(message.content))
    losses.add("parts_joined", len(texts) > 1)
    return "".join(texts)


def plain_turns(messages: Sequence[Message], losses: Losses) -> list[Turn]:
    """Messages as text alone, in strict alternation after an optional system text.

    Calls become ``<tool_call>`` blocks of the assistant, results ``<tool_response>`` blocks of
    the user, the notation that open models' own templates use.
    """
    turns: list[Turn] = []
    for message in messages:
        losses.add("name_dropped", message.name is not None)
        losses.add("weight_dropped", message.weight == 0)
        role, text = message.role, plain_text(message, losses)
        blocks = [text] if text or not message.tool_calls else []
        if message.tool_calls:
            losses.add("tool_calls_as_text")
            blocks += [_call_text(call) for call in message.tool_calls]
        if role == "tool":
            losses.add("tool_calls_as_text")
            role, blocks = "user", [f"<tool_response>\n{text}\n</tool_response>"]
        if turns and turns[-1].role == role:
            losses.add("turns_merged")
            blocks.insert(0, turns.pop().text)
            turns.append(Turn(role, "\n\n".join(blocks)))
        else:
            turns.append(Turn(role, "\n".join(blocks)))
    return turns


def _call_text(call: ToolCall) -> str:
    name = msgspec.json.encode(call.function.name).decode()
    body = f'{{"name": {name}, "arguments": {call.function.arguments}}}'
    return f"<tool_call>\n{body}\n</tool_call>"


def split_system(turns: list[Turn]) -> tuple[str | None, list[Turn]]:
    """The system text, if there is one, and the other turns."""
    if turns and turns[0].role == "system":
        return turns[0].text, turns[1:]
    return None, turns


def pairs(turns: list[Turn], form: str) -> list[tuple[str, str]]:
    """User and assistant texts, two and two.

    Raises:
        DataError: where the assistant speaks first, or nobody asks.
    """
    if not turns or turns[0].role != "user" or len(turns) % 2:
        raise unformed(
            f"`messages`: the format {form} has no shape for a conversation that the user does "
            "not begin; add a user turn"
        )
    return [(turns[i].text, turns[i + 1].text) for i in range(0, len(turns), 2)]


def object_of(arguments: str, losses: Losses) -> Raw:
    """``arguments`` as the JSON object that some formats want, token for token.

    Raises:
        DataError: where they are no JSON object (or JSON text encoded twice).
    """
    try:
        _object.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        raise unformed(
            "`arguments`: no JSON object, which this format needs; correct the call (a JSON text "
            "inside a JSON text was encoded twice)"
        ) from None
    raw = arguments.encode()
    if b"\n" in raw or b"\r" in raw:
        losses.add("arguments_reformatted")
        raw = _spaced(raw)
    losses.add("arguments_reformatted", raw != raw.strip())
    return Raw(raw.strip())


def _spaced(raw: bytes) -> bytes:
    # Inside strings a line break is always escaped, so these lie between tokens.
    return raw.replace(b"\r", b" ").replace(b"\n", b" ")


def text_of_raw(raw: Raw) -> str:
    """``arguments`` as text: of an object its very bytes, of a string what it says.

    Raises:
        UnicodeDecodeError, msgspec.DecodeError: where it is neither.
    """
    content = bytes(raw)
    if content.startswith(b'"'):
        return msgspec.json.decode(content, type=str)
    _object.decode(content)
    return content.decode()


def numbered(count: int) -> str:
    """The id of a call in a format that writes none."""
    return f"call_{count}"


def link(messages: Sequence[Message], *, by_name: bool, count: int = 0) -> int:
    """Give calls and results ids, in a format that writes none: results follow their calls.

    A result answers the first open call; ``by_name``: the first open one of the function that
    stands in the result's ``name``, which is taken away. ``count`` calls came before; how many
    there are then is returned.
    """
    waiting: list[ToolCall] = []
    for message in messages:
        for call in message.tool_calls or ():
            call.id = numbered(count)
            count += 1
            waiting.append(call)
        if message.role != "tool":
            continue
        fits = [c for c in waiting if not by_name or c.function.name == message.name]
        if not fits:
            raise unformed("a tool's result answers no open call; put it after its call")
        message.tool_call_id = fits[0].id
        waiting.remove(fits[0])
        if by_name:
            message.name = None
    return count


def record_link(messages: Sequence[Message], losses: Losses, *, by_name: bool) -> None:
    """Record what :func:`link` would not bring back of these messages' ids."""
    names = {c.id: c.function.name for m in messages for c in m.tool_calls or ()}
    bare = [
        Message(
            role=message.role,
            content="",
            name=names.get(message.tool_call_id) if message.role == "tool" else None,
            tool_calls=[ToolCall(c.function) for c in message.tool_calls or ()] or None,
        )
        for message in messages
    ]
    try:
        link(bare, by_name=by_name)
    except Exception as error:  # the same complaint, whatever the reader would raise
        raise unformed(f"`messages`: {error}") from None
    renamed: dict[str | None, str | None] = {}
    for old, new in zip(messages, bare, strict=True):
        for before, after in zip(old.tool_calls or (), new.tool_calls or (), strict=True):
            losses.add("tool_call_ids_changed", before.id != after.id)
            renamed[before.id] = after.id
        if old.role == "tool" and renamed.get(old.tool_call_id) != new.tool_call_id:
            losses.add("tool_results_reordered")


def as_chat(turns: Sequence[Turn]) -> Chat:
    """Plain turns as a chat."""
    return Chat(messages=[Message(role=t.role, content=t.text) for t in turns])  # type: ignore[arg-type]
