"""Any server that speaks OpenAI's fine-tuning routes: adapter, profiles and emulator."""

from ftbridge_openai_compatible.adapter import OpenAICompatibleProvider as Provider

__all__ = ["Provider"]
