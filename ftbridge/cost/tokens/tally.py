"""Counting a file's tokens while it is read for something else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path
from typing import Protocol

from ftbridge.cost.tokens.counter import Counter, Framed
from ftbridge.cost.tokens.counts import Totals
from ftbridge.cost.tokens.file import count_part, two_phases
from ftbridge.cost.tokens.kept import Kept
from ftbridge.cost.tokens.vocabulary import QUICK, QUICKEST, load
from ftbridge.dataset import Dataset
from ftbridge.dataset.parallel import in_parts
from ftbridge.dataset.read import Reader
from ftbridge.dataset.types import Example

SAMPLED_ABOVE = 8 * 1024 * 1024
"""Bytes of a file above which a slow vocabulary counts a sample: two seconds' work."""

SHARED_ABOVE = 32 * 1024 * 1024
"""Bytes of a file above which other processes count it; for the quickest vocabularies they
would only read it once more."""


class Tally(Protocol):
    """Hears every example of a file in order."""

    def add(self, examples: Sequence[Example]) -> Sequence[int] | None:
        """Count some more; the tokens of each, at least; None where they are counted elsewhere."""
        ...

    def finish(self) -> Totals:
        """The whole, after the last example."""
        ...


class Counting:
    """Counts what it hears."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._totals = Totals(counter.name, counter.grade)

    def add(self, examples: Sequence[Example]) -> Sequence[int]:
        """Count some more."""
        counts = self._counter.count(examples)
        self._totals.add(counts)
        return counts.low

    def finish(self) -> Totals:
        """The sums."""
        return self._totals


class Known:
    """Has been counted before."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def add(self, examples: Sequence[Example]) -> None:
        """Nothing is left to count."""
        return None

    def finish(self) -> Totals:
        """What was kept."""
        return self._totals


class Sampling:
    """Two phases for a slow vocabulary: a quick one counts all, the slow one a sample of them.

    Args:
        limit: tokens of one example about which the caller must know; what may be near it is
            counted exactly.
    """

    def __init__(self, dataset: Dataset, counter: Counter, quick: Counter, limit: int | None):
        self._dataset, self._counter, self._quick, self._limit = dataset, counter, quick, limit
        self._sizes: list[int] = []

    def add(self, examples: Sequence[Example]) -> Sequence[int]:
        """The quick vocabulary's tokens of each."""
        sizes = self._quick.count(examples).low
        self._sizes += sizes
        if self._limit is None or max(sizes) * 4 < self._limit:
            return sizes
        return [
            self._counter.count([example]).low[0] if size * 4 >= self._limit else size
            for size, example in zip(sizes, examples, strict=True)
        ]

    def finish(self) -> Totals:
        """The ratio of the two on a stratified sample, times what the quick one has counted."""
        return two_phases(self._dataset, self._counter, self._sizes)


class Elsewhere:
    """Other processes count the file, part by part."""

    def __init__(self, pool: Pool, parts: Sequence[Reader], counter: Counter) -> None:
        jobs = [(part, counter) for part in parts]
        self._parts: AsyncResult[list[Totals]] = pool.map_async(count_part, jobs, chunksize=1)

    def add(self, examples: Sequence[Example]) -> None:
        """Not counted here."""
        return None

    def finish(self) -> Totals:
        """The sum of all parts."""
        first, *others = self._parts.get()
        for other in others:
            first.merge(other)
        return first


class _Keeping:
    """Writes down what another tally finishes with."""

    def __init__(self, tally: Tally, kept: Kept) -> None:
        self._tally, self._kept, self.add = tally, kept, tally.add

    def finish(self) -> Totals:
        """The whole, kept."""
        totals = self._tally.finish()
        self._kept.keep(totals)
        return totals


@contextmanager
def tallying(
    dataset: Dataset, counter: Counter, home: Path, limit: int | None = None
) -> Iterator[Tally]:
    """The way to count a file that somebody reads; what it finishes with is kept under ``home``.

    Args:
        limit: the caller must know of each example whether it has more tokens than this.
    """
    kept = Kept(home, dataset, counter, "sample" if _samples(dataset, counter) else "all")
    known = kept.find()
    if known and (limit is None or known.longest <= limit):
        yield Known(known)
        return
    with _started(dataset, counter, limit) as tally:
        yield _Keeping(tally, kept)


def _samples(dataset: Dataset, counter: Counter) -> bool:
    return counter.slow and isinstance(counter, Framed) and dataset.bytes > SAMPLED_ABOVE


@contextmanager
def _started(dataset: Dataset, counter: Counter, limit: int | None) -> Iterator[Tally]:
    quick = load(QUICK)
    if quick and isinstance(counter, Framed) and _samples(dataset, counter):
        yield Sampling(dataset, counter, Framed(quick, counter.rule), limit)
        return
    parts = _parts(dataset, counter) if limit is None else []
    if len(parts) < 2:
        yield Counting(counter)
        return
    with get_context("fork").Pool(len(parts)) as pool:
        yield Elsewhere(pool, parts, counter)


def _parts(dataset: Dataset, counter: Counter) -> list[Reader]:
    """One for each core where other processes are worth it and a fork is safe."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    quickest = isinstance(counter, Framed) and counter.vocabulary.name in QUICKEST
    if not alone or quickest or dataset.bytes <= SHARED_ABOVE:
        return []
    return in_parts(dataset.reader, len(os.sched_getaffinity(0)))
