"""What an evaluation says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftbridge.evaluate.bench import Unit
from ftbridge.evaluate.sample import Sample
from ftbridge.evaluate.unseen import HeldOut

if TYPE_CHECKING:
    from ftbridge.evaluate.drift import Drift
    from ftbridge.evaluate.forgetting import Forgetting


@dataclass(frozen=True)
class Share:
    """A mean score (mostly 0..1) with its 95 % interval (Wilson's where each is 0 or 1)."""

    value: float
    ci: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """Two models by one metric on the same rows.

    ``p`` is exact and two-sided, of ``test``: ``mcnemar``, or ``sign`` where scores lie between
    0 and 1. ``minimum_detectable`` is the difference that so many rows would show 8 times in 10.
    All are counted in ``unit``. ``detail`` is what the metric has to tell beside that.
    """

    metric: str
    baseline: Share
    tuned: Share
    difference: float
    difference_ci: tuple[float, float]
    p: float
    test: str
    minimum_detectable: float
    verdict: str
    unit: Unit = "share"
    detail: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "metric": self.metric,
            "unit": self.unit,
            "baseline": {"value": self.baseline.value, "ci": list(self.baseline.ci)},
            "tuned": {"value": self.tuned.value, "ci": list(self.tuned.ci)},
            "difference": self.difference_dict(),
            "minimum_detectable": self.minimum_detectable,
            "verdict": self.verdict,
        } | ({} if self.detail is None else {"detail": dict(self.detail)})

    def difference_dict(self) -> dict[str, Any]:
        """The difference with its interval and test."""
        ci = list(self.difference_ci)
        return {"value": self.difference, "ci": ci, "p": self.p, "test": self.test}


@dataclass(frozen=True)
class Label:
    """One label: its rows, and the share of them that each model got right."""

    label: str
    n: int
    baseline: float
    tuned: float


@dataclass(frozen=True)
class Labels:
    """Right answers by label, for label tasks.

    ``confusion`` holds (reference, what the tuned model said, rows), the most frequent first;
    None stands for an answer that is no label. ``known`` is the share of answers that are a
    label at all, of baseline and tuned model.
    """

    classes: tuple[Label, ...]
    confusion: tuple[tuple[str, str | None, int], ...]
    known: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "classes": [asdict(each) for each in self.classes],
            "confusion": [
                {"reference": wanted, "answer": said, "count": count}
                for wanted, said, count in self.confusion
            ],
        }


@dataclass(frozen=True)
class Asked:
    """What asking one model took.

    ``calls`` counts all that were needed, ``cached`` those of them that were not made again.
    ``seconds`` is the median time of a call, ``seconds_p95`` what 95 of 100 stay under. ``usd`` is
    what all calls cost by ``price``, ``usd_paid`` what the new ones cost; None: not known.
    """

    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached: int
    seconds: float
    seconds_p95: float
    usd: Decimal | None
    usd_paid: Decimal | None
    price: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; money as numbers."""
        known = self.usd is not None and self.calls
        return asdict(self) | {
            "usd": _number(self.usd),
            "usd_paid": _number(self.usd_paid),
            "usd_per_call": float(self.usd) / self.calls
            if known and self.usd
            else _number(self.usd),
        }


@dataclass(frozen=True)
class Result:
    """Tuned against baseline on the same rows, by one metric or several; the first one counts."""

    id: str
    n: int
    comparisons: tuple[Comparison, ...]
    baseline: Asked
    tuned: Asked
    few_shot: int
    labels: Labels | None
    held_out: HeldOut
    sample: Sample
    judge: Asked | None = None
    forgetting: Forgetting | None = None
    drift: Drift | None = None

    @property
    def main(self) -> Comparison:
        """The comparison by the first metric."""
        return self.comparisons[0]

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``no evidence``, by the first metric."""
        return self.main.verdict

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of the CLI contract."""
        main = self.main
        known = self.labels.known if self.labels else (None, None)
        return {
            "evaluation": self.id,
            "n": self.n,
            "metric": main.metric,
            "few_shot": self.few_shot,
            "held_out": asdict(self.held_out),
            "baseline": _side(self.baseline, main.metric, main.baseline, known[0]),
            "tuned": _side(self.tuned, main.metric, main.tuned, known[1]),
            "difference": main.difference_dict(),
            "minimum_detectable": main.minimum_detectable,
            "verdict": main.verdict,
            "metrics": [each.to_dict() for each in self.comparisons],
            "labels": self.labels.to_dict() if self.labels else None,
            "sample": self.sample.to_dict(),
            "judge": self.judge.to_dict() if self.judge else None,
            "forgetting": self.forgetting.to_dict() if self.forgetting else None,
            "drift": self.drift.to_dict() if self.drift else None,
            "usd": self._usd(),
        }

    def _usd(self) -> dict[str, Any]:
        """What this evaluation paid, all calls together; ``unknown`` names who has no price."""
        asked = [each for each in (self.baseline, self.tuned, self.judge) if each]
        known = [each.usd_paid for each in asked if each.usd_paid is not None]
        return {
            "paid": _number(sum(known, Decimal(0))) if len(known) == len(asked) else None,
            "known": _number(sum(known, Decimal(0))),
            "unknown": sorted({each.model for each in asked if each.usd_paid is None}),
        }


def _side(asked: Asked, metric: str, share: Share, known: float | None) -> dict[str, Any]:
    return {
        "metric": metric,
        "value": share.value,
        "ci": list(share.ci),
        "known_label": known,
        **asked.to_dict(),
    }


def _number(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)
