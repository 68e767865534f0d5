"""What a measure may look at: the rows, what both models said to them, and a way to ask more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from ftbridge.evaluate.desk import Respondent
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply, ChatRequest

Ask = Callable[[Respondent, list[ChatRequest]], Sequence[ChatReply]]
"""Asks a model some questions: cached, cleared, counted in the budget."""

Unit = Literal["share", "nats a token"]


class Pair(NamedTuple):
    """The scores of baseline and tuned model, row by row."""

    baseline: Sequence[float]
    tuned: Sequence[float]


class Scores(NamedTuple):
    """The same, with what else a measure has to tell (JSON)."""

    baseline: Sequence[float]
    tuned: Sequence[float]
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Bench:
    """The rows, and of each of the two models who it is, what it was asked and what it said."""

    rows: Sequence[Row]
    models: tuple[Respondent, Respondent]
    requests: tuple[list[ChatRequest], list[ChatRequest]]
    replies: tuple[Sequence[ChatReply], Sequence[ChatReply]]
    ask: Ask


class Measure(Protocol):
    """What compares two models on the same rows.

    ``exact`` says that scores are 0 or 1 only; ``unit`` is what they are counted in: a share
    (0..1), or nats a token. ``needs`` is what a reference must have.
    """

    @property
    def name(self) -> str: ...
    @property
    def exact(self) -> bool: ...
    @property
    def unit(self) -> Unit: ...
    @property
    def needs(self) -> Literal["text", "calls"]: ...

    def scores(self, bench: Bench) -> Scores:
        """Both models' scores, row by row; more is better."""
        ...
