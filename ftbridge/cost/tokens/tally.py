"""Counting a file's tokens while it is read for something else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path
from typing import Protocol

from ftbridge.cost.tokens.counter import BATCH, Counter, Framed
from ftbridge.cost.tokens.counts import Totals
from ftbridge.cost.tokens.file import count_file, count_part, estimate_file, sampled
from ftbridge.cost.tokens.kept import Kept
from ftbridge.cost.tokens.sample import SAMPLE
from ftbridge.cost.tokens.vocabulary import QUICK, QUICKEST, load
from ftbridge.dataset import Dataset
from ftbridge.dataset.parallel import in_parts
from ftbridge.dataset.read import Reader
from ftbridge.dataset.types import Example

SLOW_SAMPLED_ABOVE = 8 * 1024 * 1024
"""Bytes of a file above which a slow vocabulary counts a sample: two seconds' work."""

SAMPLED_ABOVE = 256 * 1024 * 1024
"""Bytes above which any does: an exact count would double the time of a plan."""

SHARED_ABOVE = 32 * 1024 * 1024
"""Bytes of a file above which other processes count it; for the quickest vocabularies they
would only read it once more."""


class Tally(Protocol):
    """Hears every example of a file in order."""

    def add(self, examples: Sequence[Example], sizes: Sequence[int]) -> Sequence[int] | None:
        """Count some more, of so many bytes each; the tokens of each, at least, where the caller
        must know of them and they are counted here."""
        ...

    def finish(self) -> Totals:
        """The whole, after the last example."""
        ...


class Counting:
    """Counts what it hears."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._totals = Totals(counter.name, counter.grade)

    def add(self, examples: Sequence[Example], sizes: Sequence[int]) -> Sequence[int]:
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

    def add(self, examples: Sequence[Example], sizes: Sequence[int]) -> None:
        """Nothing is left to count."""
        return None

    def finish(self) -> Totals:
        """What was kept."""
        return self._totals


class Sampling:
    """Counts a sample, at the end; until then it only takes sizes.

    Args:
        quick: counts all examples where the counter is slow; None: their bytes are their sizes.
        limit: tokens of one example about which the caller must know; what may be near it is
            counted exactly.
    """

    def __init__(
        self, dataset: Dataset, counter: Counter, quick: Counter | None, limit: int | None
    ) -> None:
        self._dataset, self._counter, self._quick, self._limit = dataset, counter, quick, limit
        self._sizes: list[int] = []

    def add(self, examples: Sequence[Example], sizes: Sequence[int]) -> Sequence[int] | None:
        """Take their sizes; what may pass the limit is counted."""
        if self._quick is not None:
            sizes = self._quick.count(examples).low
        self._sizes += sizes
        if self._limit is None:
            return None
        near = self._limit // (1 if self._quick is None else 4)  # a byte is at most one token
        return [
            self._counter.count([example]).low[0] if size >= near else 0
            for size, example in zip(sizes, examples, strict=True)
        ]

    def finish(self) -> Totals:
        """The ratio of tokens to size on a stratified sample, times all sizes."""
        return sampled(self._dataset, self._counter, self._sizes)


class Elsewhere:
    """Other processes count the file, part by part."""

    def __init__(self, pool: Pool, parts: Sequence[Reader], counter: Counter) -> None:
        jobs = [(part, counter) for part in parts]
        self._parts: AsyncResult[list[Totals]] = pool.map_async(count_part, jobs, chunksize=1)

    def add(self, examples: Sequence[Example], sizes: Sequence[int]) -> None:
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
    sample = dataset.bytes > (SLOW_SAMPLED_ABOVE if counter.slow else SAMPLED_ABOVE)
    exact = Kept(home, dataset, counter)
    kept = Kept(home, dataset, counter, "sampled") if sample else exact
    known = exact.find() or kept.find()
    if known and (limit is None or known.longest <= limit):
        yield Known(known)
        return
    if sample:
        yield _Keeping(Sampling(dataset, counter, _quick_of(counter), limit), kept)
        return
    with _started(dataset, counter, limit) as tally:
        yield _Keeping(tally, kept)


def count_kept(
    dataset: Dataset, counter: Counter, home: Path, workers: int | None = None
) -> Totals:
    """The exact count of a file that nobody else reads; kept under ``home``.

    Args:
        workers: processes; left out: all cores, where a fork is safe.

    Raises:
        DataError: where the file is missing or unreadable, or has no good example.
    """
    kept = Kept(home, dataset, counter)
    totals = kept.find()
    if totals is None:
        totals = count_file(dataset, counter, workers or (_cores() if _alone() else 1))
        kept.keep(totals)
    return totals


def estimate_fast(dataset: Dataset, counter: Counter, n: int = SAMPLE, seed: int = 0) -> Totals:
    """The count of a file from a sample: sized by a quick vocabulary's tokens where the counter's
    is slow, else by the bytes of the lines.

    Args:
        n: about how many examples to count.

    Raises:
        DataError, UsageError: as :func:`estimate_file`; for a slow vocabulary for any bad line.
    """
    quick = _quick_of(counter)
    if quick is None:
        return estimate_file(dataset, counter, n, seed)
    sizes: list[int] = []
    stream = dataset.examples()
    while some := [item.example for item in islice(stream, BATCH)]:
        sizes += quick.count(some).low
    return sampled(dataset, counter, sizes, n, seed)


def _quick_of(counter: Counter) -> Counter | None:
    """The same frame counted by a quick vocabulary, for a slow one."""
    quick = load(QUICK) if counter.slow else None
    return Framed(quick, counter.rule) if quick and isinstance(counter, Framed) else None


@contextmanager
def _started(dataset: Dataset, counter: Counter, limit: int | None) -> Iterator[Tally]:
    parts = _parts(dataset, counter) if limit is None else []
    if len(parts) < 2:
        yield Counting(counter)
        return
    with get_context("fork").Pool(len(parts)) as pool:
        yield Elsewhere(pool, parts, counter)


def _parts(dataset: Dataset, counter: Counter) -> list[Reader]:
    """One for each core where other processes are worth it and a fork is safe."""
    quickest = isinstance(counter, Framed) and counter.vocabulary.name in QUICKEST
    if not _alone() or quickest or dataset.bytes <= SHARED_ABOVE:
        return []
    return in_parts(dataset.reader, _cores())


def _alone() -> bool:
    """Whether a fork copies all of this program: it takes the calling thread alone."""
    return sys.platform == "linux" and threading.active_count() == 1


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
