"""Our statistics against scipy's, and whether they keep their promises."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from ftbridge.evaluate.statistics import (
    bootstrap,
    minimum_detectable,
    sign_test,
    verdict,
    wilson,
)


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (7, 9), (231, 240)])
def test_wilson_is_scipys(right: int, n: int) -> None:
    want = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
    assert wilson(right, n) == pytest.approx((want.low, want.high), abs=1e-9)


@pytest.mark.parametrize("counts", [(0, 1), (3, 0), (5, 5), (10, 2), (1, 30), (0, 1500)])
def test_mcnemar_is_the_exact_binomial_test(counts: tuple[int, int]) -> None:
    want = stats.binomtest(counts[0], sum(counts), 0.5).pvalue
    assert sign_test(*counts) == pytest.approx(want, abs=1e-12)
    assert sign_test(*counts) == sign_test(*reversed(counts))


def test_no_discordant_row_is_no_evidence() -> None:
    assert sign_test(0, 0) == 1.0
    assert verdict(0.0, 0.0, 0) == "no evidence"


def test_bootstrap_is_scipys() -> None:
    values = random.Random(3).choices([-1, 0, 1], [1, 5, 4], k=200)
    want = stats.bootstrap((np.array(values),), np.mean, method="percentile", rng=1)
    low, high = want.confidence_interval
    assert bootstrap(values) == pytest.approx((low, high), abs=0.011)
    assert bootstrap(values) == bootstrap(values)


def test_bootstrap_of_equal_rows_has_no_width() -> None:
    assert bootstrap([1] * 10) == (1.0, 1.0)
    assert bootstrap([0] * 10) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("difference", "p", "favour", "said"),
    [
        (0.1, 0.01, 9, "better"),
        (-0.1, 0.01, -9, "worse"),
        (0.1, 0.05, 9, "no evidence"),
        (0.1, 0.01, -9, "no evidence"),  # a few rows much better, most a little worse
    ],
)
def test_verdict(difference: float, p: float, favour: int, said: str) -> None:
    assert verdict(difference, p, favour) == said


def test_wilson_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).binomial(240, 0.8, 2_000)
    held = [low <= 0.8 <= high for low, high in (wilson(int(k), 240) for k in draws)]
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_bootstrap_interval_covers_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 samples of 240 paired rows; 400 resamples each, to be quick."""
    monkeypatch.setattr("ftbridge.evaluate.statistics.RESAMPLES", 400)
    random_ = np.random.default_rng(1)
    samples = random_.choice([-1, 0, 1], p=[0.1, 0.5, 0.4], size=(2_000, 240))
    ours = bootstrap(samples[0].tolist())
    held = []
    for sample in samples:
        means = random_.choice(sample, (400, 240)).mean(axis=1)
        low, high = np.sort(means)[[10, 389]]
        held.append(low <= 0.3 <= high)
    assert 0.93 <= np.mean(held) <= 0.97
    means = np.sort(random_.choice(samples[0], (400, 240)).mean(axis=1))
    assert ours == pytest.approx((means[10], means[389]), abs=0.03)


@pytest.mark.parametrize("scores", ["right or wrong", "between 0 and 1"])
def test_ours_covers_too(monkeypatch: pytest.MonkeyPatch, scores: str) -> None:
    monkeypatch.setattr("ftbridge.evaluate.statistics.RESAMPLES", 400)
    random_ = np.random.default_rng(5)
    if scores == "right or wrong":
        samples, truth = random_.choice([-1, 0, 1], p=[0.1, 0.5, 0.4], size=(2_000, 240)), 0.3
    else:
        samples, truth = random_.beta(2, 3, (2_000, 240)) - random_.beta(2, 6, (2_000, 240)), 0.15
    held = 0
    for number, sample in enumerate(samples):
        low, high = bootstrap(sample.tolist(), number)
        held += low <= truth <= high
    assert 0.93 <= held / 2_000 <= 0.97


def test_the_minimum_detectable_difference_is_found_four_times_in_five() -> None:
    random_ = np.random.default_rng(3)
    spread = random_.choice([-1, 0, 1], p=[0.1, 0.7, 0.2], size=240)
    least = minimum_detectable(spread.tolist())
    wins = random_.multinomial(240, [0.15 + least / 2, 0.15 - least / 2, 0.7], 4_000)
    said = [verdict((a - b) / 240, sign_test(int(a), int(b)), int(a - b)) for a, b, _ in wins]
    assert 0.7 <= said.count("better") / 4_000 <= 0.9
    assert 0 < minimum_detectable([0.0] * 100) < minimum_detectable([0.0] * 10) <= 1


def test_better_is_said_wrongly_at_most_once_in_twenty() -> None:
    random_ = np.random.default_rng(2)
    wins = random_.multinomial(240, [0.15, 0.15, 0.7], 2_000)
    said = [verdict((a - b) / 240, sign_test(int(a), int(b)), int(a - b)) for a, b, _ in wins]
    assert said.count("better") / 2_000 <= 0.05
    assert (said.count("better") + said.count("worse")) / 2_000 <= 0.05
