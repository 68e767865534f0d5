"""OpenAI's training lines for SFT, DPO and RFT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftbridge.dataset.types import Kind
from ftbridge.dialects.openai_data import OpenAIShape


class OpenAIFormat(OpenAIShape):
    """Everything that a canonical chat, preference or reward holds; only metadata stays."""

    name = "openai"
    kinds = (Kind.CHAT, Kind.PREFERENCE, Kind.REWARD)
    folder = Path(__file__).parent

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """The preference shape, which others took over; a chat is canonical anyway."""
        return "preferred_output" in record or "non_preferred_output" in record


FORMAT = OpenAIFormat()
