"""OpenAI's training lines, for servers that read them, with this folder's few rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftbridge.dialects import openai_data


class CompatibleFormat(openai_data.OpenAIFormat):
    """The dialect's format under a name of its own, since other rules hold."""

    name = "openai-compatible"
    folder = Path(__file__).parent

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """Never: what has this shape is taken for OpenAI's own."""
        return False


FORMAT = CompatibleFormat()
