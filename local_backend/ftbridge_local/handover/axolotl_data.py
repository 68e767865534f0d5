"""The lines that axolotl reads: the canonical ones without metadata, weights kept, and a weight on
every assistant turn where one has one (a column of a table is there for all or for none)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ftbridge.dataset.formats.canonical import FORMAT as CANONICAL
from ftbridge.dataset.formats.format import Converted, Format
from ftbridge.dataset.types import Example, Kind


class AxolotlData(Format):
    """Chats, preferences and texts; reads what it writes."""

    name = "axolotl"
    kinds = (Kind.CHAT, Kind.PREFERENCE, Kind.TEXT)

    def encode(self, example: Example) -> Converted:
        """The canonical line; a user's own metadata stays behind, which is no loss."""
        self.require(example)
        return CANONICAL.encode(msgspec.structs.replace(example, metadata=None))

    def decode(self, line: bytes) -> Example:
        """A canonical line."""
        return CANONICAL.decode(line)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """Never: these lines are canonical ones too."""
        return False


FORMAT = AxolotlData()
