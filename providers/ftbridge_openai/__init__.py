"""OpenAI for ftbridge: adapter, catalogue, prices and emulator."""

from ftbridge_openai.adapter import OpenAIProvider as Provider

__all__ = ["Provider"]
