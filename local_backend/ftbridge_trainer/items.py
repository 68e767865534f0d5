"""What a step trains on: a conversation, or two answers to one prompt. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .errors import TrainerError


@dataclass(frozen=True)
class Example:
    """`ids[T]` and `trained[T]`; `trained[0]` is always False (nothing precedes it)."""

    where: str
    ids: list[int]
    trained: list[bool]

    @property
    def trained_tokens(self) -> int:
        """How many tokens bear loss."""
        return sum(self.trained)

    @property
    def parts(self) -> tuple[Example, ...]:
        """The sequences that pass through the model together."""
        return (self,)


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt.

    `reference` is log p(chosen) - log p(rejected) under the untuned model, in nats; it is
    measured before the first step.
    """

    chosen: Example
    rejected: Example
    reference: float = 0.0

    @property
    def where(self) -> str:
        """The line that it comes from."""
        return self.chosen.where

    @property
    def trained_tokens(self) -> int:
        """The tokens of both answers."""
        return self.chosen.trained_tokens + self.rejected.trained_tokens

    @property
    def parts(self) -> tuple[Example, ...]:
        """Chosen first: the loss relies on that order."""
        return (self.chosen, self.rejected)


@dataclass(frozen=True)
class Prompt:
    """A prompt that answers are drawn for, and what the grader reads of its line.

    `reserve` is how many tokens an answer may have.
    """

    where: str
    ids: list[int]
    messages: list[dict[str, Any]]
    fields: dict[str, Any]
    reserve: int

    @property
    def trained_tokens(self) -> int:
        """The tokens of the longest answer."""
        return self.reserve

    @property
    def parts(self) -> tuple[Example, ...]:
        """Prompt and answer as one sequence, by which memory is planned."""
        trained = [False] * len(self.ids) + [True] * self.reserve
        return (Example(self.where, [*self.ids, *[0] * self.reserve], trained),)


Item = Example | Pair | Prompt


def parts_of(items: Sequence[Item]) -> list[Example]:
    """All sequences of the items, in order."""
    return [part for item in items for part in item.parts]


def cut(item: Item, max_length: int) -> Item:
    """Cut each sequence from the right; the very same item where nothing is too long.

    Raises:
        TrainerError: where no trained token of a sequence would remain.
    """
    if all(len(part.ids) <= max_length for part in item.parts):
        return item
    if isinstance(item, Prompt):
        raise TrainerError(
            "example_too_long",
            f"{item.where}: {len(item.ids)} tokens and an answer of {item.reserve} pass max_length "
            f"{max_length}",
            "lower max_new_tokens, raise max_length, or shorten the prompt",
        )
    if isinstance(item, Pair):
        chosen, rejected = (_cut(part, max_length) for part in item.parts)
        return replace(item, chosen=chosen, rejected=rejected)
    return _cut(item, max_length)


def _cut(example: Example, max_length: int) -> Example:
    short = Example(example.where, example.ids[:max_length], example.trained[:max_length])
    if short.trained_tokens == 0:
        raise TrainerError(
            "example_too_long",
            f"{example.where}: {len(example.ids)} tokens, and within max_length {max_length} "
            "none of them would be trained",
            "raise max_length, or shorten the prompt of this example",
        )
    return short
