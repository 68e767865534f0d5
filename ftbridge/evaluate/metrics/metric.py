"""What a metric is: a name, and a score for one answer to one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ftbridge.evaluate.bench import Bench, Scores, Unit
from ftbridge.evaluate.desk import Respondent
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply


@dataclass(frozen=True)
class Metric:
    """``score`` gives 0..1 for an answer, more being better.

    ``exact`` says that it gives only 0 or 1, so that a share with a binomial interval is meant.
    ``needs`` is what the reference must have: a text, or tool calls.
    """

    name: str
    score: Callable[[Row, ChatReply], float]
    exact: bool = True
    needs: Literal["text", "calls"] = "text"
    unit: Unit = "share"

    def scores(self, bench: Bench) -> Scores:
        """Each answer of both models by itself."""
        base, tuned = (
            [self.score(row, reply) for row, reply in zip(bench.rows, replies, strict=True)]
            for replies in bench.replies
        )
        return Scores(base, tuned)


@dataclass(frozen=True)
class Settings:
    """What some metrics are told.

    Attributes:
        pattern: the expression of ``regex``; its first group, or all of it, is compared.
        schema: the JSON schema file of ``schema_valid``.
        judge: the model of ``judge``.
        criteria: what it judges by; None: :data:`ftbridge.evaluate.metrics.judge.CRITERIA`.
        judge_max_tokens: of each of its verdicts; a model that reasons first needs more.
    """

    pattern: str | None = None
    schema: Path | None = None
    judge: Respondent | None = None
    criteria: str | None = None
    judge_max_tokens: int = 16
