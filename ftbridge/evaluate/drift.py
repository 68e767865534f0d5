"""Is a model still as good on fresh rows as it was when it was evaluated?

The rows are others, so nothing is paired. The weights stand still: where the baseline fell too,
the rows have become harder, which a rerun on fresh data may mend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ftbridge.dataset import Dataset
from ftbridge.errors import UsageError
from ftbridge.evaluate import unpaired
from ftbridge.evaluate.bench import Measure, Scores
from ftbridge.jobs.ledger import JobRow, Ledger

ALPHA = 0.05


@dataclass(frozen=True)
class Change:
    """One model then and now, by one metric. ``test`` is ``fisher`` for right or wrong, else
    ``permutation``; ``verdict`` is ``worse``, ``better`` or ``no evidence of drift``."""

    before: float
    now: float
    ci: tuple[float, float]
    p: float
    test: str
    minimum_detectable: float
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "before": self.before,
            "now": self.now,
            "change": {
                "value": self.now - self.before, "ci": list(self.ci), "p": self.p,
                "test": self.test,
            },
            "minimum_detectable": self.minimum_detectable,
            "verdict": self.verdict,
        }  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """A model on fresh rows against its stored evaluation ``evaluation`` on ``n_before`` rows."""

    evaluation: str
    metric: str
    n_before: int
    tuned: Change
    baseline: Change

    @property
    def verdict(self) -> str:
        """The tuned model's."""
        return self.tuned.verdict

    @property
    def advice(self) -> str:
        """What follows, in a sentence."""
        if self.verdict == "better":
            return "it does better than when it was evaluated"
        if self.verdict != "worse":
            return "nothing to do"
        if self.baseline.verdict == "worse":
            return "the baseline fell too, so the rows are harder than before: rerun on them"
        return "the baseline did not fall: what it was tuned on is no longer what comes in: rerun"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "evaluation": self.evaluation,
            "metric": self.metric,
            "n_before": self.n_before,
            "verdict": self.verdict,
            "advice": self.advice,
            "tuned": self.tuned.to_dict(),
            "baseline": self.baseline.to_dict(),
        }


def stored(ledger: Ledger, job: JobRow, fresh: Dataset) -> Mapping[str, Any]:
    """The job's latest evaluation that was no drift check, as it was recorded.

    Drift is always measured against that, so that a slow one is not lost in small steps.

    Raises:
        UsageError: where there is none, it was on the very same rows, or by an older version.
    """
    kept = (each for each in ledger.evaluations.of_job(job.id) if not each.get("drift"))
    found = next(kept, None)
    if found is None:
        raise UsageError(
            f"{job.id} was not evaluated yet, so that nothing can have drifted",
            hint=f"ftbridge eval DATA --model {job.id}",
            where="again",
        )
    if "scores" not in found:
        raise UsageError(
            f"{found['evaluation']} was recorded by an older version, without its rows' scores",
            hint=f"evaluate {job.id} once more: its calls are kept, and cost nothing",
            where="again",
        )
    if found["data_sha256"] == fresh.sha256:
        raise UsageError(
            f"{fresh.path} is what {found['evaluation']} was made on",
            hint="give rows that came in since",
            where="data",
        )
    return found


def measure(found: Mapping[str, Any], metric: Measure, scores: Scores) -> Drift:
    """Both models then and now, by the first metric."""
    kept = found["scores"]
    return Drift(
        found["evaluation"],
        metric.name,
        found["n"],
        change(kept["tuned"], scores.tuned, metric),
        change(kept["baseline"], scores.baseline, metric),
    )


def change(before: Sequence[float], now: Sequence[float], metric: Measure) -> Change:
    """One model's scores then and now."""
    whole = 1.0 if metric.unit == "share" else None
    if metric.exact:
        counts = (round(sum(before)), len(before), round(sum(now)), len(now))
        ci, p, test = unpaired.newcombe(*counts), unpaired.fisher(*counts), "fisher"
    else:
        ci, test = unpaired.bootstrap_apart(before, now), "permutation"
        p = unpaired.permutation(before, now)
    difference = fmean(now) - fmean(before)
    word = "no evidence of drift"
    if p < ALPHA and difference:
        word = "better" if difference > 0 else "worse"
    least = unpaired.minimum_detectable(before, now, whole)
    return Change(fmean(before), fmean(now), ci, p, test, least, word)
