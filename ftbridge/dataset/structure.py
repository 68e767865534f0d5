"""The structure check: is every line a good example? As fast as it goes.

For chats, the roles' rules are given to the decoder as types (a user turn has no field for
calls, a tool turn must name its call), so that almost nothing is left for Python to look at.
A block in which anything is wrong is read again line by line, which finds the words for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ftbridge.dataset import records
from ftbridge.dataset.drafts import KEY
from ftbridge.dataset.formats.canonical import FORMAT as CANONICAL
from ftbridge.dataset.parallel import run
from ftbridge.dataset.read import BadLine, Reader
from ftbridge.dataset.rules import tools_problem
from ftbridge.dataset.types import Calls, Kind, Parts, Tools


class _Strict(msgspec.Struct, forbid_unknown_fields=True, gc=False, tag_field="role"):
    pass


class _System(_Strict, tag="system"):
    content: str | Parts
    name: str | None = None


class _User(_Strict, tag="user"):
    content: str | Parts
    name: str | None = None


class _Tool(_Strict, tag="tool"):
    content: str | Parts
    tool_call_id: str
    name: str | None = None


class _Assistant(_Strict, tag="assistant"):
    content: str | Parts | None = None
    name: str | None = None
    tool_calls: Calls | None = None
    weight: Literal[0, 1] | None = None


class _Chat(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[_System | _User | _Tool | _Assistant], Meta(min_length=1)]
    tools: Tools | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, Any] | None = None


_decode_lines: Callable[[memoryview], list[_Chat]] = msgspec.json.Decoder(_Chat).decode_lines


@dataclass
class Structure:
    """What a structure check found; ``errors`` are capped, ``error_count`` counts them all.

    ``lines`` counts the lines of JSONL, blank ones included.
    """

    examples: int = 0
    lines: int = 0
    error_count: int = 0
    errors: list[BadLine] = field(default_factory=list)

    def add(self, bad: BadLine, most: int) -> None:
        """Count a bad line, and keep it while there is room."""
        self.error_count += 1
        if len(self.errors) < most:
            self.errors.append(bad)


def structure(parts: list[Reader], most: int) -> Structure:
    """Check every line of a source in consecutive parts; name at most ``most`` bad ones."""
    if len(parts) == 1:
        return check_part((parts[0], most))
    found = Structure()
    jobs = [(part, most) for part in parts]
    for part in run(lambda: check_part(jobs[0]), check_part, jobs[1:]):
        found.errors += [BadLine(bad.line + found.lines, bad.message) for bad in part.errors]
        del found.errors[most:]
        found.examples += part.examples
        found.error_count += part.error_count
        found.lines += part.lines
    return found


def check_part(job: tuple[Reader, int]) -> Structure:
    """Check one part of a source."""
    reader, most = job
    found = Structure()
    if is_fast(reader):
        with reader.source.open(buffered=False) as stream:
            for first, count, block in records.blocks(stream):
                check_block(reader, found, (first, count), block, most)
        return found
    for item in reader.read():
        if isinstance(item, BadLine):
            found.add(item, most)
        else:
            found.examples += 1
    if reader.container == "jsonl":
        found.lines = reader.count_lines()
    return found


def is_fast(reader: Reader) -> bool:
    """Whether the source is JSONL of canonical chats, read block by block."""
    plain = reader.mapping is None and reader.container == "jsonl"
    return plain and reader.guess == (CANONICAL, Kind.CHAT)


def check_block(
    reader: Reader, found: Structure, place: tuple[int, int], block: memoryview, most: int
) -> None:
    """Check the lines of one block; ``place`` is the number of the first and their count."""
    first, lines = place
    found.lines += lines
    if len(block) <= records.MAX_LINE_BYTES:
        try:
            chats = _decode_lines(block)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            chats = []
        if len(chats) == lines and all(map(_good, chats)):
            found.examples += lines
            return
    for item in reader.by_line(first, bytes(block)):
        if isinstance(item, BadLine):
            found.add(item, most)
        else:
            found.examples += 1


def _good(chat: _Chat) -> bool:
    """What the types cannot say; False only sends the block to the slower check."""
    if chat.metadata is not None and KEY in chat.metadata:
        return False
    trained = last = False
    calls: set[str | None] | None = None
    first = chat.messages[0]
    for message in chat.messages:
        last = False
        if type(message) is _Assistant:
            last = True
            if message.weight != 0:
                trained = True
            if message.tool_calls is not None:
                calls = (calls or set()) | {call.id for call in message.tool_calls}
            elif message.content is None:
                return False
        elif type(message) is _Tool:
            if calls is None or message.tool_call_id not in calls:
                return False
        elif type(message) is _System and message is not first:
            return False
    return trained and last and (chat.tools is None or tools_problem(chat.tools) is None)
