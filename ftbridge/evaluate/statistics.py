"""Paired statistics for right-or-wrong answers. Checked against scipy in the tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import comb, sqrt
from statistics import NormalDist

RESAMPLES = 5_000
_Z = NormalDist().inv_cdf(0.975)


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), good near 0 and 1 too."""
    share = right / n
    centre = share + _Z**2 / (2 * n)
    spread = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def paired_bootstrap(differences: Sequence[int], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean of per-row differences (-1, 0, 1)."""
    draw = random.Random(seed)  # noqa: S311  resampling, not secrets
    n = len(differences)
    means = sorted(sum(draw.choices(differences, k=n)) / n for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of McNemar's test: rows that only one of the two got right."""
    n = only_first + only_second
    if n == 0:
        return 1.0
    tail = sum(comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**n))


def verdict(difference: float, p: float, alpha: float = 0.05) -> str:
    """``better``, ``worse`` or ``no evidence`` of a difference at this level."""
    if p >= alpha or difference == 0:
        return "no evidence"
    return "better" if difference > 0 else "worse"
