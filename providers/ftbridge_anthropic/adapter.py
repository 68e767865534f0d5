"""Anthropic trains no model for its customers through its own API (``catalogue.toml``)."""

from __future__ import annotations

from pathlib import Path

from ftbridge.refusing import RefusingProvider


class AnthropicProvider(RefusingProvider):
    """Says that there is no such API, and where a Claude model could be tuned."""

    name = "anthropic"
    extra = "anthropic"
    folder = Path(__file__).parent
