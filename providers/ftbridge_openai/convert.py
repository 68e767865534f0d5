"""OpenAI's training lines for SFT, DPO and RFT, with this folder's rules."""

from __future__ import annotations

from pathlib import Path

from ftbridge.dialects import openai_data


class OpenAIFormat(openai_data.OpenAIFormat):
    """The dialect's format, with the rules beside this file."""

    folder = Path(__file__).parent


FORMAT = OpenAIFormat()
