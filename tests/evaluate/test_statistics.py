"""Our statistics against scipy's, and whether they keep their promises."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from ftbridge.evaluate.statistics import mcnemar, paired_bootstrap, verdict, wilson

N = 60


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (7, 9), (231, 240)])
def test_wilson_is_scipys(right: int, n: int) -> None:
    want = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
    assert wilson(right, n) == pytest.approx((want.low, want.high), abs=1e-9)


@pytest.mark.parametrize("counts", [(0, 1), (3, 0), (5, 5), (10, 2), (1, 30), (0, 1500)])
def test_mcnemar_is_the_exact_binomial_test(counts: tuple[int, int]) -> None:
    want = stats.binomtest(counts[0], sum(counts), 0.5).pvalue
    assert mcnemar(*counts) == pytest.approx(want, abs=1e-12)
    assert mcnemar(*counts) == mcnemar(*reversed(counts))


def test_no_discordant_row_is_no_evidence() -> None:
    assert mcnemar(0, 0) == 1.0
    assert verdict(0.0, 0.0) == "no evidence"


def test_bootstrap_is_scipys() -> None:
    values = random.Random(3).choices([-1, 0, 1], [1, 5, 4], k=200)
    want = stats.bootstrap((np.array(values),), np.mean, method="percentile", rng=1)
    low, high = want.confidence_interval
    assert paired_bootstrap(values) == pytest.approx((low, high), abs=0.011)
    assert paired_bootstrap(values) == paired_bootstrap(values)


def test_bootstrap_of_equal_rows_has_no_width() -> None:
    assert paired_bootstrap([1] * 10) == (1.0, 1.0)
    assert paired_bootstrap([0] * 10) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("difference", "p", "said"),
    [(0.1, 0.01, "better"), (-0.1, 0.01, "worse"), (0.1, 0.05, "no evidence")],
)
def test_verdict(difference: float, p: float, said: str) -> None:
    assert verdict(difference, p) == said


def test_wilson_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).binomial(240, 0.8, 2_000)
    held = [low <= 0.8 <= high for low, high in (wilson(int(k), 240) for k in draws)]
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_bootstrap_interval_covers_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 samples of 240 paired rows; 400 resamples each, to be quick."""
    monkeypatch.setattr("ftbridge.evaluate.statistics.RESAMPLES", 400)
    random_ = np.random.default_rng(1)
    samples = random_.choice([-1, 0, 1], p=[0.1, 0.5, 0.4], size=(2_000, 240))
    ours = paired_bootstrap(samples[0].tolist())
    held = []
    for sample in samples:
        means = random_.choice(sample, (400, 240)).mean(axis=1)
        low, high = np.sort(means)[[10, 389]]
        held.append(low <= 0.3 <= high)
    assert 0.93 <= np.mean(held) <= 0.97
    means = np.sort(random_.choice(samples[0], (400, 240)).mean(axis=1))
    assert ours == pytest.approx((means[10], means[389]), abs=0.03)


def test_ours_covers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.evaluate.statistics.RESAMPLES", 200)
    draw = random.Random(5)
    held = 0
    for number in range(2_000):
        sample = draw.choices([-1, 0, 1], [1, 5, 4], k=N)
        low, high = paired_bootstrap(sample, number)
        held += low <= 0.3 <= high
    assert 0.925 <= held / 2_000 <= 0.97


def test_better_is_said_wrongly_at_most_once_in_twenty() -> None:
    random_ = np.random.default_rng(2)
    wins = random_.multinomial(240, [0.15, 0.15, 0.7], 2_000)
    said = [verdict((a - b) / 240, mcnemar(int(a), int(b))) for a, b, _ in wins]
    assert said.count("better") / 2_000 <= 0.05
    assert (said.count("better") + said.count("worse")) / 2_000 <= 0.05
