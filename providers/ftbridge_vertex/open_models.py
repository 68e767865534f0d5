"""Open models at Vertex: another format of line, and their weights in a bucket.

docs.cloud.google.com open-model-tuning (read 2026-11-25): chats as ``messages``; what it says of
tools, names and images is not enough to send them, so they are losses. Unverified: the rest.
"""

from __future__ import annotations

from pathlib import Path

from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example, Kind
from ftbridge.dialects.openai_data import OpenAIShape
from ftbridge_vertex.adapter import VertexProvider


class OpenModelFormat(OpenAIShape):
    """OpenAI's chats, of text."""

    name = "vertex-open"
    kinds = (Kind.CHAT,)
    folder = Path(__file__).parent
    takes_names = False
    takes_weights = False
    takes_images = False
    takes_parallel = False
    takes_strict = False


FORMAT = OpenModelFormat()


class OpenModels(VertexProvider):
    """The same place, writing an open model's lines."""

    def rules(self, kind: Kind) -> str:
        """Those of its format."""
        return FORMAT.name

    def convert(self, example: Example) -> Converted:
        """A chat in OpenAI's shape."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """Such a chat."""
        return FORMAT.decode(line)
