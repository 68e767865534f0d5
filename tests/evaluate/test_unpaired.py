"""Unpaired statistics against scipy's, and whether they keep their promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ftbridge.evaluate.drift import change
from ftbridge.evaluate.metrics.metric import Metric
from ftbridge.evaluate.unpaired import (
    bootstrap_apart,
    fisher,
    minimum_detectable,
    newcombe,
    permutation,
)

EXACT = Metric("exact_match", lambda row, reply: 0.0)
GRADED = Metric("chrf", lambda row, reply: 0.0, exact=False)


@pytest.mark.parametrize(
    "counts", [(9, 10, 3, 10), (0, 5, 0, 7), (5, 5, 7, 7), (180, 240, 150, 240), (3, 3, 0, 400)]
)
def test_fisher_is_scipys(counts: tuple[int, int, int, int]) -> None:
    a, n, b, m = counts
    want = stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue
    assert fisher(*counts) == pytest.approx(want, rel=1e-6)


def test_newcombe_is_the_published_example() -> None:
    """56/70 less 48/80: 0.0524 to 0.3339 (Newcombe 1998, table II, case a, method 10)."""
    low, high = newcombe(48, 80, 56, 70)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_permutation_is_scipys() -> None:
    random_ = np.random.default_rng(4)
    before, now = random_.beta(2, 3, 80), random_.beta(2, 2.2, 60)
    want = stats.permutation_test(
        (now, before), lambda a, b, axis: a.mean(axis) - b.mean(axis), vectorized=True,
        n_resamples=9_999, rng=1,
    ).pvalue  # fmt: skip
    assert permutation(before.tolist(), now.tolist()) == pytest.approx(want, abs=0.015)
    assert permutation([0.5] * 9, [0.5] * 4) == 1.0


def test_bootstrap_is_scipys() -> None:
    random_ = np.random.default_rng(5)
    before, now = random_.beta(2, 3, 90), random_.beta(3, 3, 70)
    want = stats.bootstrap(
        (now, before), lambda a, b, axis: a.mean(axis) - b.mean(axis), method="percentile", rng=1
    ).confidence_interval
    got = bootstrap_apart(before.tolist(), now.tolist())
    assert got == pytest.approx((want.low, want.high), abs=0.008)


@pytest.mark.parametrize(("p", "q"), [(0.8, 0.8), (0.9, 0.7)])
def test_newcombe_covers_the_truth(p: float, q: float) -> None:
    random_ = np.random.default_rng(6)
    pairs = zip(random_.binomial(240, p, 2_000), random_.binomial(160, q, 2_000), strict=True)
    spans = [newcombe(int(a), 240, int(b), 160) for a, b in pairs]
    assert 0.93 <= np.mean([low <= q - p <= high for low, high in spans]) <= 0.97


def test_drift_is_said_wrongly_at_most_once_in_twenty() -> None:
    """The exact level: every pair of counts, by its probability under one share of 0.8."""
    before, now = stats.binom.pmf(range(61), 60, 0.8), stats.binom.pmf(range(41), 40, 0.8)
    level = sum(
        before[a] * now[b] for a in range(61) for b in range(41) if fisher(a, 60, b, 40) < 0.05
    )
    assert 0.01 < level <= 0.05


def test_the_minimum_detectable_change_is_found_four_times_in_five() -> None:
    random_ = np.random.default_rng(8)
    least = minimum_detectable([1.0] * 168 + [0.0] * 72, [1.0] * 168 + [0.0] * 72)
    before = random_.binomial(240, 0.7 + least / 2, 2_000)
    now = random_.binomial(240, 0.7 - least / 2, 2_000)
    found = [fisher(int(a), 240, int(b), 240) < 0.05 for a, b in zip(before, now, strict=True)]
    assert 0.7 <= np.mean(found) <= 0.9
    assert 0 < minimum_detectable([1.0] * 50, [1.0] * 50) < 1


def test_what_is_said_of_a_change() -> None:
    fell = change([1.0] * 90 + [0.0] * 10, [1.0] * 40 + [0.0] * 60, EXACT)
    assert (fell.verdict, fell.test) == ("worse", "fisher")
    assert fell.ci[0] < -0.5 < fell.ci[1] < 0
    assert change([1.0, 0.0] * 20, [1.0, 0.0] * 10, EXACT).verdict == "no evidence of drift"
    rose = change([0.1, 0.2] * 20, [0.7, 0.8] * 20, GRADED)
    assert (rose.verdict, rose.test) == ("better", "permutation")
