"""Fireworks' lines: OpenAI-compatible chats, preference pairs, prompts for evaluators.

Source: docs.fireworks.ai/fine-tuning/fine-tuning-models and dpo-fine-tuning (read 2026-11-24).
"""

from __future__ import annotations

from pathlib import Path

from ftbridge.dataset.types import Kind
from ftbridge.dialects.openai_data import OpenAIShape


class FireworksFormat(OpenAIShape):
    """Roles, tools and weights; names, strict and parallel calls are not documented."""

    name = "fireworks"
    kinds = (Kind.CHAT, Kind.PREFERENCE, Kind.REWARD)
    folder = Path(__file__).parent
    takes_names = False
    takes_parallel = False
    takes_strict = False


FORMAT = FireworksFormat()
