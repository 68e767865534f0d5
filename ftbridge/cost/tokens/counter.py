"""The best counter at hand for a model: its vocabulary and frame, else an honest stand-in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Protocol

from ftbridge.catalogue import Catalogue, TokenRule
from ftbridge.cost.tokens.counts import Counts, Spans, Totals, batch
from ftbridge.cost.tokens.families import rule_of_family
from ftbridge.cost.tokens.frames import Frame, frame_of
from ftbridge.cost.tokens.stand_in import FRAME, Guess, StandIn
from ftbridge.cost.tokens.vocabulary import Vocabulary, load
from ftbridge.cost.types import Grade
from ftbridge.dataset.types import Example

BATCH = 256
"""Examples counted in one call: enough that the call costs nothing, few enough for caches."""


class Counter(Protocol):
    """How one model's tokens are counted. Small and immutable; may be sent to another process."""

    @property
    def name(self) -> str:
        """What people are shown."""
        ...

    @property
    def id(self) -> str:
        """Everything that its counts depend on, beside the file."""
        ...

    @property
    def grade(self) -> Grade:
        """How good its counts are."""
        ...

    @property
    def slow(self) -> bool:
        """Whether large files are better sampled."""
        ...

    def count(self, examples: Sequence[Example]) -> Counts:
        """The tokens of each example."""
        ...


@dataclass(frozen=True)
class Framed:
    """A vocabulary's exact counts of what the rule's frame renders."""

    vocabulary: Vocabulary
    rule: TokenRule

    @property
    def name(self) -> str:
        """The vocabulary."""
        return self.vocabulary.name

    @property
    def id(self) -> str:
        """Vocabulary, frame and its numbers."""
        rule = self.rule
        return f"framed 1 {self.vocabulary.id} {rule.frame} {rule.per_message} {rule.per_example}"

    @property
    def grade(self) -> Grade:
        """The rule's, unless the vocabulary allows less."""
        return self.vocabulary.grade or self.rule.grade

    @property
    def slow(self) -> bool:
        """The vocabulary's."""
        return self.vocabulary.slow

    @cached_property
    def _frame(self) -> Frame:
        return frame_of(self.rule)

    def __getstate__(self) -> dict[str, object]:
        return {"vocabulary": self.vocabulary, "rule": self.rule}  # a frame is made of closures

    def count(self, examples: Sequence[Example]) -> Counts:
        """The tokens of each example."""
        return batch(examples, self._frame, self._count)

    def _count(self, texts: Sequence[str]) -> Spans:
        tokens = self.vocabulary.count(texts)
        return tokens, tokens, tokens


def counter_for(rule: TokenRule | None, own: Counter | None) -> Counter:
    """The best counter at hand.

    Args:
        rule: the vocabulary and frame of the model, see :func:`rule_for`.
        own: a counter of the provider itself, which wins.
    """
    if own is not None:
        return own
    if rule is not None and (vocabulary := load(rule.vocabulary)):
        return Framed(vocabulary, rule)
    base = load(FRAME.vocabulary)
    return StandIn(base, rule.vocabulary if rule else "") if base else Guess()


def rule_for(catalogue: Catalogue, model: str) -> TokenRule | None:
    """How a model's tokens are counted: its own rule, the catalogue's, or its family's."""
    row = catalogue.model(model)
    if row and row.tokens:
        return row.tokens
    if catalogue.tokens:
        return catalogue.tokens
    names = (row.family, row.model) if row else (model,)
    return next((rule for name in names if name and (rule := rule_of_family(name))), None)


def framed_counter(vocabulary: Vocabulary, rule: TokenRule) -> Counter:
    """A provider's own vocabulary in the frame of a rule."""
    return Framed(vocabulary, rule)


def count_all(counter: Counter, examples: Iterable[Example]) -> Totals:
    """What all examples add up to."""
    totals = Totals(counter.name, counter.grade)
    stream = iter(examples)
    while some := list(islice(stream, BATCH)):
        totals.add(counter.count(some))
    return totals
