"""Anthropic trains no model for its customers through its own API (``catalogue.toml``)."""

from __future__ import annotations

from pathlib import Path

from ftbridge import registry
from ftbridge.provider import Check, Context
from ftbridge.refusing import RefusingProvider

ELSEWHERE, REGION = "bedrock", "us-west-2"
"""Who has tuned Claude, and the region in which it did (docs.aws.amazon.com, 2026-11-24)."""


class AnthropicProvider(RefusingProvider):
    """Says that there is no such API, and asks at run time where a Claude model could be tuned."""

    name = "anthropic"
    extra = "anthropic"
    folder = Path(__file__).parent

    def doctor(self) -> list[Check]:
        """The reason; and what Amazon Bedrock says today of each Claude that it lists as tunable,
        where its package is installed and AWS credentials are set up."""
        options = {"region": REGION, **self.context.options}
        bedrock = registry.load(ELSEWHERE)(Context(self.context.home, options))
        return [*super().doctor(), *bedrock.tunable_today(self.name)]
