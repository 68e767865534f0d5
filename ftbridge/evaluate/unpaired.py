"""Statistics of one model on two different sets of rows. Checked against scipy in the tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, sqrt
from statistics import NormalDist, fmean, pvariance

import numpy as np

from ftbridge.evaluate.statistics import RESAMPLES, wilson

_Z = NormalDist().inv_cdf(0.975)
_POWER = NormalDist().inv_cdf(0.8)
_PIECE = 1 << 20


def fisher(right_before: int, before: int, right_now: int, now: int) -> float:
    """Exact two-sided p that both shares are one (Fisher's exact test): the sum over all tables
    with these margins that are no more probable than this one."""
    right, total = right_before + right_now, before + now
    low, high = max(0, right - now), min(right, before)
    logs = [
        _log_comb(before, k) + _log_comb(now, right - k) - _log_comb(total, right)
        for k in range(low, high + 1)
    ]
    seen = logs[right_before - low]
    return min(1.0, sum(exp(each) for each in logs if each <= seen + 1e-7))


def newcombe(right_before: int, before: int, right_now: int, now: int) -> tuple[float, float]:
    """95 % interval of the later share less the earlier (Newcombe 1998, method 10: from both
    Wilson intervals)."""
    p, q = right_before / before, right_now / now
    low_p, high_p = wilson(right_before, before)
    low_q, high_q = wilson(right_now, now)
    low = (q - p) - sqrt((q - low_q) ** 2 + (high_p - p) ** 2)
    high = (q - p) + sqrt((high_q - q) ** 2 + (p - low_p) ** 2)
    return max(-1.0, low), min(1.0, high)


def permutation(before: Sequence[float], now: Sequence[float], seed: int = 0) -> float:
    """Two-sided p that which set a row belongs to says nothing of its score: the share of random
    divisions whose means differ as much, this one counted too."""
    rows = np.asarray([*before, *now], float)
    seen = abs(fmean(now) - fmean(before))
    draw = np.random.default_rng(seed)
    total, n = rows.sum(), len(now)
    at_least = 0
    for start in range(0, RESAMPLES, max(1, _PIECE // len(rows))):
        count = min(max(1, _PIECE // len(rows)), RESAMPLES - start)
        later = draw.permuted(np.tile(rows, (count, 1)), axis=1)[:, :n].sum(1)
        apart = np.abs(later / n - (total - later) / (len(rows) - n))
        at_least += int((apart >= seen - 1e-12).sum())
    return (at_least + 1) / (RESAMPLES + 1)


def bootstrap_apart(
    before: Sequence[float], now: Sequence[float], seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of the later mean less the earlier, each set drawn by itself."""
    draw = np.random.default_rng(seed)
    apart = _means(now, draw) - _means(before, draw)
    low, high = np.sort(apart)[[int(0.025 * RESAMPLES), int(0.975 * RESAMPLES) - 1]]
    return float(low), float(high)


def minimum_detectable(
    before: Sequence[float], now: Sequence[float], whole: float | None = 1.0
) -> float:
    """The change that so many rows would show 8 times in 10 (5 % level):
    ``(z(0.975) + z(0.8)) * sqrt(v1 / n1 + v2 / n2)``, each variance at least that of one row in
    its set that differs wholly."""
    parts = [_variance(rows, whole) / len(rows) for rows in (before, now)]
    least = (_Z + _POWER) * sqrt(sum(parts))
    return least if whole is None else min(whole, least)


def _variance(rows: Sequence[float], whole: float | None) -> float:
    n = len(rows)
    return max(pvariance(rows), (whole or 0.0) ** 2 * (n - 1) / n**2)


def _means(rows: Sequence[float], draw: np.random.Generator) -> np.ndarray:
    values = np.asarray(rows, float)
    at_once = max(1, _PIECE // len(values))
    counts = [min(at_once, RESAMPLES - start) for start in range(0, RESAMPLES, at_once)]
    n = len(values)
    return np.concatenate([values[draw.integers(0, n, (count, n))].mean(1) for count in counts])


def _log_comb(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
