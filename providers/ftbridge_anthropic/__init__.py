"""Anthropic: no fine-tuning API of its own, which is said with the date and what remains."""

from ftbridge_anthropic.adapter import AnthropicProvider as Provider

__all__ = ["Provider"]
