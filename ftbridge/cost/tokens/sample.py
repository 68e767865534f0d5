"""A total from a sample: stratified ratio estimator with a 95 % interval.

Rows are sorted by a size that is known of all of them (bytes, or tokens of a quick vocabulary)
and cut into strata of equal size; from each as many rows are drawn, so that of long rows nearly
all are taken. Within a stratum, tokens are to size as in its sample. (Cochran, Sampling
Techniques, 3rd edition, 6.10: the separate ratio estimator and its variance.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from typing import NamedTuple

STRATA = 10
SAMPLE = 2_000
"""Rows counted. The error on 20,000 rows of very unequal length was 0.5 % when their bytes are
the size, 0.2 % when tokens are (95th percentile of 1,000 resamples, 2026-11-24)."""

Z95 = 1.96


class Estimate(NamedTuple):
    """A total and its 95 % interval."""

    total: float
    low: float
    high: float


@dataclass(frozen=True)
class Stratum:
    """Rows of like size: how many, their sizes' sum, and those drawn."""

    rows: int
    size: int
    drawn: tuple[int, ...]


def draw(sizes: Sequence[int], n: int = SAMPLE, seed: int = 0) -> list[Stratum]:
    """Choose about ``n`` rows (their indices) in strata of equal size; the same for a seed."""
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    total, random = sum(sizes), Random(seed)  # noqa: S311 - a sample, not a secret
    strata: list[Stratum] = []
    start, done = 0, 0
    for index, row in enumerate(order):
        done += sizes[row]
        last = index == len(order) - 1
        if last or done * STRATA >= total * (len(strata) + 1):
            rows = order[start : index + 1]
            chosen = random.sample(rows, min(len(rows), max(2, n // STRATA)))
            strata.append(Stratum(len(rows), sum(sizes[r] for r in rows), tuple(sorted(chosen))))
            start = index + 1
    return strata


def estimate(
    strata: Sequence[Stratum], sizes: Sequence[int], measured: Mapping[int, int]
) -> Estimate:
    """The total, from the tokens measured at the drawn rows; 0 where nothing was measured."""
    total = variance = 0.0
    for stratum in strata:
        n, rows = len(stratum.drawn), stratum.rows
        size = sum(sizes[row] for row in stratum.drawn)
        if not size:
            continue
        found = [measured.get(row, 0) for row in stratum.drawn]
        ratio = sum(found) / size
        total += ratio * stratum.size
        if n < rows:
            sized = zip(found, stratum.drawn, strict=True)
            errors = sum((tokens - ratio * sizes[row]) ** 2 for tokens, row in sized)
            drift = (stratum.size / rows) / (size / n)
            variance += rows**2 * (1 - n / rows) * errors / (n - 1) / n * drift**2
    margin = Z95 * sqrt(variance)
    return Estimate(total, total - margin, total + margin)
