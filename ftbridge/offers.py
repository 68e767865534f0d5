"""What a comparison finds: offers with what they cost, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass

from ftbridge.cost.roi import Baseline, Roi
from ftbridge.cost.types import Span, TokenCount, Usd
from ftbridge.cost.use import Use


@dataclass(frozen=True)
class Offer:
    """One way to train: where, which model, what it costs and on what that figure rests.

    ``usd`` is the training alone, so that all are told by the same measure, or training and use
    where a horizon was asked for (``use``). ``allowed``
    is False where ftbridge knows the price but cannot submit there.
    """

    provider: str
    model: str
    method: str
    adapter: str
    usd: Usd
    tokens: TokenCount
    basis: tuple[str, ...]
    notes: tuple[str, ...]
    allowed: bool
    use: Use | None = None
    roi: Roi | None = None

    @property
    def monthly(self) -> Span | None:
        """USD a month of use; None where that is not known or was not asked for."""
        running = self.usd.running
        if self.use is None or running is None:
            return None
        return Span(low=running.low / self.use.months, high=running.high / self.use.months)


@dataclass(frozen=True)
class Exclusion:
    """A provider, or one of its models, that will not do, and why."""

    provider: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Offers from cheap to dear, those of unknown cost last; and what was left out."""

    offers: tuple[Offer, ...]
    excluded: tuple[Exclusion, ...]
    baseline: Baseline | None = None


def basis(tokens: TokenCount, usd: Usd) -> tuple[str, ...]:
    """What each figure rests on: the counter and its grade, each price and its age."""
    lines = [f"tokens {tokens.label} ({tokens.counter})"]
    for line in usd.lines:
        day = "" if line.source_date is None else str(line.source_date)
        parts = (line.evidence, line.source, day, line.age)
        lines.append(f"{line.name}: " + ", ".join(filter(None, parts)))
    return (*lines, *(f"{name}: unknown" for name in usd.unknown))
