"""Counted examples, and what a file's add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from ftbridge.cost.tokens.frames import Frame
from ftbridge.cost.types import Grade, TokenCount
from ftbridge.dataset.types import Example

Spans: TypeAlias = tuple[Sequence[float], Sequence[float], Sequence[float]]
"""Of each text the tokens expected, at least and at most; three times one list if counted."""

FRAME_LOW, FRAME_HIGH = 0.4, 1.75
"""An assumed frame of 4 tokens a message: templates have between 1.5 and 7."""

TOOLS_HIGH = 2.0
"""Tools written as indented JSON take twice the tokens of compact JSON."""


_WIDER = (FRAME_HIGH, TOOLS_HIGH)


class Counts(NamedTuple):
    """The tokens of some examples: expected, at least, at most; one and the same list where they
    are counted. ``frame`` and ``tools``: how many of all of them are special tokens and constants,
    and how many describe tools."""

    expected: list[int]
    low: list[int]
    high: list[int]
    frame: int
    tools: int


def batch(
    examples: Sequence[Example],
    frame: Frame,
    count: Callable[[Sequence[str]], Spans],
    *,
    loose: bool = False,
) -> Counts:
    """Render the examples and count all their texts in one call.

    Args:
        loose: the frame is not known either: it widens the bounds.
    """
    texts: list[str] = []
    ends, specials, shown = [0], [], []
    for example in examples:
        special, tools = frame.render(example, texts)
        specials.append(special)
        shown.append(tools)
        ends.append(len(texts))
    # A file repeats few tools often: each distinct one is counted once a batch.
    distinct = [text for text in dict.fromkeys(shown) if text]
    rendered = _Rendered(ends, specials, shown if frame.apart and distinct else [], distinct)
    expected, low, high = count(texts + distinct)
    counted = rendered.sums(expected)
    of_tools = dict(zip(distinct, expected[len(texts) :], strict=True))
    return Counts(
        counted,
        counted if low is expected else rendered.sums(low, *((FRAME_LOW, 1.0) if loose else ())),
        counted if high is expected else rendered.sums(high, *(_WIDER if loose else ())),
        sum(specials),
        round(sum(of_tools[text] for text in shown if text)),
    )


class _Rendered(NamedTuple):
    """Where the texts of each example end, its special tokens, and its tools if to be added."""

    ends: list[int]
    specials: list[int]
    tools: list[str]
    distinct: list[str]

    def sums(self, tokens: Sequence[float], of_frame: float = 1, of_tools: float = 1) -> list[int]:
        """Each example's tokens, of the counts of all texts and then of the distinct tools."""
        ends = self.ends
        running = list(accumulate(tokens, initial=0))
        totals = [
            running[end] - running[start] + of_frame * specials
            for start, end, specials in zip(ends, ends[1:], self.specials, strict=False)
        ]
        if self.tools:
            each = dict(zip(self.distinct, tokens[ends[-1] :], strict=True)) | {"": 0}
            totals = [
                total + of_tools * each[text]
                for total, text in zip(totals, self.tools, strict=True)
            ]
        return list(map(round, totals))


@dataclass
class Totals:
    """What the examples of one file add up to, in tokens of one pass.

    ``longest``: the most tokens, at least, of one example. ``frame`` and ``tools`` as in
    :class:`Counts`, None where they were not counted apart.
    """

    counter: str
    grade: Grade
    examples: int = 0
    expected: int = 0
    low: int = 0
    high: int = 0
    longest: int = 0
    frame: int | None = 0
    tools: int | None = 0

    def add(self, counts: Counts) -> None:
        """Add some examples."""
        self.examples += len(counts.low)
        self.expected += sum(counts.expected)
        self.low += sum(counts.low)
        self.high += sum(counts.high)
        self.longest = max(self.longest, *counts.low)
        self.frame = None if self.frame is None else self.frame + counts.frame
        self.tools = None if self.tools is None else self.tools + counts.tools

    def merge(self, other: Totals) -> None:
        """Add the part of the file that follows."""
        for name in ("examples", "expected", "low", "high"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest = max(self.longest, other.longest)
        for name in ("frame", "tools"):
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, None if mine is None or theirs is None else mine + theirs)

    def count(self, n_epochs: int) -> TokenCount:
        """The count that plans and offers show."""
        shown = asdict(self) | {"n_epochs": n_epochs}
        fields = TokenCount.model_fields.keys() & shown.keys()
        return TokenCount(**{name: shown[name] for name in fields})
