"""Amazon Bedrock for ftbridge."""

from ftbridge_bedrock.adapter import BedrockProvider as Provider

__all__ = ["Provider"]
