"""A reward example's ``reference`` and further keys as Gemini's ``references``, a map of strings.

A value that is no string travels as its JSON text, and comes back as a string: that is a loss.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ftbridge.dataset.formats.parts import Losses
from ftbridge.dataset.types import Reward

REFERENCE = "reference"


def of(example: Reward, losses: Losses) -> dict[str, str] | None:
    """The map of an example; None where it has nothing for a grader."""
    raw = dict(example.extra)
    if isinstance(example.reference, Raw):
        raw = {REFERENCE: example.reference, **raw}
    return {name: _text(value, losses) for name, value in raw.items()} or None


def _text(value: Raw, losses: Losses) -> str:
    found = msgspec.json.decode(value)
    if isinstance(found, str):
        return found
    losses.add("reference_as_text")
    return bytes(value).decode()


def read(found: Mapping[str, str]) -> tuple[Raw | UnsetType, dict[str, Raw]]:
    """``reference`` and the further keys of a map."""
    raw = {name: Raw(msgspec.json.encode(value)) for name, value in found.items()}
    return raw.pop(REFERENCE, UNSET), raw
