"""Azure OpenAI's training lines are OpenAI's.

Source: Microsoft's fine-tuning and direct-preference-optimization guides (learn.microsoft.com,
read 2026-11-24), which show the same shapes; the rules of OpenAI's folder name this provider too.
The guides also ask for a byte-order mark, which no sample of theirs writes: none is sent.
"""

from __future__ import annotations

from ftbridge.dialects.openai_data import OpenAIFormat

FORMAT = OpenAIFormat()
