"""Together's four shapes: conversation, prompt and completion, preference, plain text.

Sources: docs.together.ai/docs/fine-tuning/data-preparation and ``lib/constants.py`` of
``together`` 3.1.1 (read 2026-11-24). A prompt with a completion is read; a conversation is
written, since it carries more.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Raw

from ftbridge.dataset.formats.prompt_completion import FORMAT as PROMPT_COMPLETION
from ftbridge.dataset.types import Example, Kind
from ftbridge.dialects.openai_data import OpenAIShape

_keys = msgspec.json.Decoder(dict[str, Raw])


class TogetherFormat(OpenAIShape):
    """Roles with weights and tools; names and parallel calls have no documented place."""

    name = "together"
    kinds = (Kind.CHAT, Kind.PREFERENCE, Kind.TEXT)
    folder = Path(__file__).parent
    takes_names = False
    takes_parallel = False

    def decode(self, line: bytes) -> Example:
        """Any of the four shapes."""
        if {"prompt", "completion"} <= _keys.decode(line).keys():
            return PROMPT_COMPLETION.decode(line)
        return super().decode(line)


FORMAT = TogetherFormat()
