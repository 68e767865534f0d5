"""Lathe's data lines: ``{"system": text?, "turns": [{"by": "user"|"model", "text": ...}, ...]}``.

Source: docs.lathe.example/datasets (invented). A line holds text alone, the user begins, and the
two speakers alternate: tools, names and images have no place, and each loss is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.formats.parts import (
    Losses,
    Turn,
    as_chat,
    drop_tool_settings,
    pairs,
    plain_turns,
    split_system,
)
from ftbridge.dataset.types import Chat, Example, Kind


class _Turn(msgspec.Struct, forbid_unknown_fields=True):
    by: Literal["user", "model"]
    text: str


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    turns: list[_Turn]
    system: str | None = None


_line = msgspec.json.Decoder(_Line)


class LatheFormat(Format):
    """Pure functions, both ways: what was encoded without a loss decodes to the same example."""

    name = "lathe"
    kinds = (Kind.CHAT,)
    folder: ClassVar[Path | None] = Path(__file__).parent  # where rules.toml lies

    def encode(self, example: Example) -> Converted:
        """The line, with the codes of what it cannot carry. No example is ever dropped."""
        self.require(example)
        assert isinstance(example, Chat)
        losses = Losses()
        drop_tool_settings(example, losses, tools=False)
        system, turns = split_system(plain_turns(example.messages, losses))
        made = []
        for question, answer in pairs(turns, self.name):
            made += [_Turn("user", question), _Turn("model", answer)]
        return Converted(msgspec.json.encode(_Line(made, system)), losses())

    def decode(self, line: bytes) -> Example:
        """The chat of a line."""
        found = _line.decode(line)
        speakers = [turn.by for turn in found.turns]
        if not speakers or speakers != ["user", "model"] * (len(speakers) // 2):
            raise unformed("`turns`: user and model must alternate, the user first; reorder them")
        system = [] if found.system is None else [Turn("system", found.system)]
        roles = {"user": "user", "model": "assistant"}
        return as_chat([*system, *(Turn(roles[turn.by], turn.text) for turn in found.turns)])

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """Whether a line of a file bears this format's marks, for the detection."""
        turns = record.get("turns")
        return isinstance(turns, list) and bool(turns) and set(turns[0]) == {"by", "text"}


FORMAT = LatheFormat()
