"""What a job measured while it trained, as charts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ftbridge.provider import RemoteMetric
from ftbridge.report.parts import Chart

CURVES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Loss", ("loss", "train_loss", "valid_loss", "full_valid_loss")),
    ("Learning rate", ("learning_rate",)),
    ("Reward margin", ("reward_margin", "valid_reward_margin")),
    ("Share of pairs in the right order", ("reward_accuracy", "valid_reward_accuracy")),
    ("Reward", ("reward", "train_reward", "valid_reward")),
    ("Token accuracy", ("train_accuracy", "train_mean_token_accuracy", "valid_accuracy",
                        "valid_mean_token_accuracy")),
    ("Gradient norm", ("grad_norm",)),
)  # fmt: skip
"""What is drawn together: names that vendors and the trainer give their values."""


def charts(metrics: Sequence[RemoteMetric]) -> Iterator[Chart]:
    """A chart for each kind of value that was measured; what is not finite is left out."""
    found: dict[str, list[tuple[int, float]]] = {}
    for metric in sorted(metrics, key=lambda each: each.step):
        if math.isfinite(metric.value):
            found.setdefault(metric.name, []).append((metric.step, metric.value))
    for title, names in CURVES:
        series = {name: found[name] for name in names if name in found}
        if series:
            yield Chart(f"{title} over steps", series)
