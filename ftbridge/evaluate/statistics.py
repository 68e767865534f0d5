"""Paired statistics of two models on the same rows. Checked against scipy in the tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, sqrt
from statistics import NormalDist

import numpy as np

RESAMPLES = 5_000
_Z = NormalDist().inv_cdf(0.975)
_POWER = NormalDist().inv_cdf(0.8)
_PIECE = 1 << 20
"""Numbers drawn at once, to bound the memory."""


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), good near 0 and 1 too."""
    share = right / n
    centre = share + _Z**2 / (2 * n)
    spread = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def bootstrap(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean of per-row values (Efron 1979)."""
    rows = np.asarray(values, float)
    draw = np.random.default_rng(seed)
    at_once = max(1, _PIECE // len(rows))
    means = np.concatenate(
        [
            rows[draw.integers(0, len(rows), (min(at_once, RESAMPLES - start), len(rows)))].mean(1)
            for start in range(0, RESAMPLES, at_once)
        ]
    )
    low, high = np.sort(means)[[int(0.025 * RESAMPLES), int(0.975 * RESAMPLES) - 1]]
    return float(low), float(high)


def sign_test(only_first: int, only_second: int) -> float:
    """Exact two-sided p that the rows which favour one model are half of those that favour any.

    For right-or-wrong answers this is McNemar's exact test.
    """
    n = only_first + only_second
    if n == 0:
        return 1.0
    tail = sum(comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**n))


def minimum_detectable(differences: Sequence[float], whole: float | None = 1.0) -> float:
    """The true mean difference that this many rows would show 8 times in 10 (5 % level).

    ``(z(0.975) + z(0.8)) * s / sqrt(n)`` with the spread ``s`` of the differences seen, to which
    one row that differs wholly is added: no difference seen is not proof of no spread.

    Args:
        whole: the largest difference that there is; None where there is none, and then nothing
            is added.
    """
    n = len(differences) + (whole is not None)
    spread = sqrt((sum(d * d for d in differences) + (whole or 0.0) ** 2) / n)
    least = (_Z + _POWER) * spread / sqrt(n)
    return least if whole is None else min(whole, least)


def verdict(difference: float, p: float, favour: int, alpha: float = 0.05) -> str:
    """``better``, ``worse`` or ``no evidence`` of a difference at this level.

    Args:
        favour: rows that favour the tuned model less those that favour the baseline; where it
            and the mean point different ways, neither is believed.
    """
    if p >= alpha or difference * favour <= 0:
        return "no evidence"
    return "better" if difference > 0 else "worse"
