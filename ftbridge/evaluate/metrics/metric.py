"""What a metric is: a name, and a score for one answer to one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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


@dataclass(frozen=True)
class Settings:
    """What some metrics are told.

    Attributes:
        pattern: the expression of ``regex``; its first group, or all of it, is compared.
        schema: the JSON schema file of ``schema_valid``.
    """

    pattern: str | None = None
    schema: Path | None = None
