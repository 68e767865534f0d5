"""Azure OpenAI for ftbridge: adapter, catalogue, prices and emulator."""

from ftbridge_azure_openai.adapter import AzureOpenAIProvider as Provider

__all__ = ["Provider"]
