"""``{"prompt": text, "completion": text}``: one question, one answer, nothing else."""

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


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    prompt: str
    completion: str


_line = msgspec.json.Decoder(_Line)


class PromptCompletion(Format):
    """A chat of one user turn and one answer fits; more is written into the prompt."""

    name = "prompt-completion"
    kinds = (Kind.CHAT,)

    def encode(self, example: Example) -> Converted:
        """The last answer as completion, all before it as prompt."""
        self.require(example)
        assert isinstance(example, Chat)
        losses = Losses()
        drop_tool_settings(example, losses, tools=False)
        system, turns = split_system(plain_turns(example.messages, losses))
        asked = pairs(turns, self.name)
        losses.add("system_merged", system is not None)
        losses.add("turns_flattened", len(asked) > 1)
        prompt = [] if system is None else [system]
        for question, answer in asked[:-1]:
            prompt += [f"User: {question}", f"Assistant: {answer}"]
        question, completion = asked[-1]
        prompt.append(f"User: {question}" if len(asked) > 1 else question)
        line = _Line("\n\n".join(prompt), completion)
        return Converted(msgspec.json.encode(line), losses())

    def decode(self, line: bytes) -> Example:
        """A chat of two turns."""
        found = _line.decode(line)
        return as_chat([Turn("user", found.prompt), Turn("assistant", found.completion)])

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """Two texts."""
        return all(isinstance(record.get(key), str) for key in ("prompt", "completion"))


FORMAT = PromptCompletion()
