"""What an evaluation says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """One model's share of right answers, 0..1, with its 95 % interval.

    ``known_label`` is the share of answers that are one of the references at all, where the
    references are few; ``cached`` counts calls that were not made again.
    """

    model: str
    value: float
    ci: tuple[float, float]
    known_label: float | None
    prompt_tokens: int
    completion_tokens: int
    cached: int

    def to_dict(self, metric: str) -> dict[str, Any]:
        """The JSON form."""
        return vars(self) | {"metric": metric, "ci": list(self.ci)}


@dataclass(frozen=True)
class Result:
    """Tuned against baseline on the same rows. ``p`` is McNemar's, exact, two-sided."""

    id: str
    n: int
    metric: str
    baseline: Score
    tuned: Score
    difference: float
    difference_ci: tuple[float, float]
    p: float
    verdict: str
    few_shot: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of the CLI contract."""
        return {
            "evaluation": self.id,
            "n": self.n,
            "metric": self.metric,
            "few_shot": self.few_shot,
            "baseline": self.baseline.to_dict(self.metric),
            "tuned": self.tuned.to_dict(self.metric),
            "difference": {
                "value": self.difference,
                "ci": list(self.difference_ci),
                "p": self.p,
            },
            "verdict": self.verdict,
        }
