"""Open models at Vertex: another format of line, and their weights in a bucket.

docs.cloud.google.com open-model-tuning (read 2026-11-25): chats as ``messages``; what it says of
tools, names and images is not enough to send them, so they are losses. Unverified: the rest.
"""

from __future__ import annotations

from pathlib import Path

from ftbridge.dataset.types import Kind
from ftbridge.dialects.openai_data import OpenAIShape


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
