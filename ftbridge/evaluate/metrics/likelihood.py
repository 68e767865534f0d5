"""The metric of likelihood: how probable the reference answer is to each model (this machine)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ftbridge.evaluate.bench import Bench, Scores, Unit
from ftbridge.evaluate.metrics.metric import Settings


def log_likelihood(settings: Settings) -> Likelihood:
    """The measure; it has no settings."""
    return Likelihood()


@dataclass(frozen=True)
class Likelihood:
    """Mean log-likelihood of the reference's tokens, end of turn included, in nats a token.

    The baseline is given its own prompt and examples, as when it answers. Nearer to 0 is better;
    exp(-x) is the perplexity. Nothing is generated for it.
    """

    name: str = "log_likelihood"
    exact: bool = False
    unit: Unit = "nats a token"
    needs: Literal["text", "calls"] = "text"

    def scores(self, bench: Bench) -> Scores:
        """Both models on the same references.

        Raises:
            Unsupported: where a model is at a vendor, none of which scores a given answer.
        """
        references = [row.reference for row in bench.rows]
        base, tuned = (
            who.model.provider.log_likelihoods(who.model.name, requests, references)
            for who, requests in zip(bench.models, bench.requests, strict=True)
        )
        return Scores(base, tuned)
