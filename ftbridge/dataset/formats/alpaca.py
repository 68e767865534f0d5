"""Alpaca: ``instruction``, ``input``, ``output``; with LLaMA-Factory's ``system``, ``history``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ftbridge.dataset.formats.format import Converted, Format
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


class _Line(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    instruction: str
    output: str
    input: str | None = None
    system: str | None = None
    history: list[tuple[str, str]] | None = None


_line = msgspec.json.Decoder(_Line)


class Alpaca(Format):
    """Text turns in strict alternation."""

    name = "alpaca"
    kinds = (Kind.CHAT,)

    def encode(self, example: Example) -> Converted:
        """The last question as instruction, earlier turns as history."""
        self.require(example)
        assert isinstance(example, Chat)
        losses = Losses()
        drop_tool_settings(example, losses, tools=False)
        system, turns = split_system(plain_turns(example.messages, losses))
        *history, (question, answer) = pairs(turns, self.name)
        line = _Line(question, answer, "", system, history or None)
        return Converted(msgspec.json.encode(line), losses())

    def decode(self, line: bytes) -> Example:
        """A chat; the input stands under the instruction, as the templates of Alpaca put it."""
        found = _line.decode(line)
        turns = [] if found.system is None else [Turn("system", found.system)]
        for question, answer in found.history or ():
            turns += [Turn("user", question), Turn("assistant", answer)]
        question = f"{found.instruction}\n{found.input}" if found.input else found.instruction
        return as_chat([*turns, Turn("user", question), Turn("assistant", found.output)])

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """An instruction and an output."""
        return "instruction" in record and "output" in record


FORMAT = Alpaca()
