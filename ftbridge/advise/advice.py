"""The advice itself: rules over what was measured, each statement with its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ftbridge.advise.classifier import Classifier
from ftbridge.advise.failures import Failures
from ftbridge.compare import Offer
from ftbridge.dataset.types import Kind
from ftbridge.evaluate.statistics import wilson

ENOUGH_A_LABEL = 20
"""Rows of a label from which LoRA usually learns it; the figure is a habit, not a law."""
FEW, SMALL = 50, 200
GOOD = 0.9
"""The lower end of an interval from which a way is good enough to be tried first."""
MAJOR = 0.5
"""The share of failures from which one cause decides."""


@dataclass(frozen=True)
class Statement:
    """One sentence of advice and what it rests on."""

    code: str
    text: str
    evidence: str


@dataclass(frozen=True)
class Baseline:
    """How a model does by its prompt alone, on a sample; the share right with its interval."""

    model: str
    rows: int
    right: int
    failures: tuple[Failures, ...]

    @property
    def ci(self) -> tuple[float, float]:
        """95 % interval of the share right."""
        return wilson(self.right, self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "model": self.model,
            "n": self.rows,
            "value": self.right / self.rows,
            "ci": list(self.ci),
            "failures": [each.to_dict() for each in self.failures],
        }


@dataclass(frozen=True)
class Known:
    """Everything that was found out; None where it was not."""

    kind: Kind
    examples: int
    labels: Counter[str] | None = None
    baseline: Baseline | None = None
    classifier: Classifier | None = None
    offers: Sequence[Offer] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """What to do first, why, and what could not be known.

    ``recommendation`` is ``collect``, ``prompt``, ``classifier``, ``retrieve`` or ``tune``.
    """

    recommendation: str
    statements: tuple[Statement, ...]
    missing: dict[str, int]
    known: Known
    unknown: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        known = self.known
        return {
            "recommendation": self.recommendation,
            "statements": [asdict(each) for each in self.statements],
            "missing": [{"label": name, "more": n} for name, n in self.missing.items()],
            "baseline": known.baseline.to_dict() if known.baseline else None,
            "classifier": known.classifier.to_dict() if known.classifier else None,
            "offers": [
                {"provider": o.provider, "model": o.model, "adapter": o.adapter,
                 "usd": o.usd.high}
                for o in known.offers
            ],
            "unknown": list(self.unknown),
        }  # fmt: skip


def advise(known: Known) -> Advice:
    """Rules in the order of what costs least to try."""
    missing = {
        name: ENOUGH_A_LABEL - n
        for name, n in sorted((known.labels or {}).items())
        if n < ENOUGH_A_LABEL
    }
    found = [*_collect(known, missing), *_prompt(known), *_classifier(known), *_retrieve(known)]
    found.append(_tune(known))
    return Advice(found[0].code, tuple(found), missing, known, known.unknown)


def _collect(known: Known, missing: dict[str, int]) -> list[Statement]:
    if known.examples < FEW:
        text = f"collect first: {SMALL} to 500 examples are a usual start"
        return [Statement("collect", text, f"there are {known.examples}")]
    if missing and len(missing) > MAJOR * len(known.labels or ()):
        text = f"collect first: most labels have fewer than {ENOUGH_A_LABEL} examples"
        return [Statement("collect", text, f"{len(missing)} of {len(known.labels or ())} labels")]
    return []


def _prompt(known: Known) -> list[Statement]:
    base = known.baseline
    if base is None:
        return []
    if base.ci[0] >= GOOD:
        return [
            Statement("prompt", "the prompt is enough: there is little left to gain", _score(base))
        ]
    causes = {
        "format": "prompt first: ask for the form (structured output, tool choice), show examples",
        "truncated": "raise the token limit first, then measure again",
        "refusal": "prompt first: the model declines; say why it may answer, or take another one",
        "language": "prompt first: say in which language to answer",
    }
    major = _major(base)
    if major is None or major.code not in causes:
        return []
    return [Statement("prompt", causes[major.code], _share(major, base))]


def _classifier(known: Known) -> list[Statement]:
    found = known.classifier
    if found is None or found.ci[0] < GOOD:
        return []
    text = (
        "a plain classifier will do: it costs nothing to run and is trained in seconds; a tuned "
        "model has to beat it to be worth its price"
    )
    evidence = (
        f"{found.accuracy:.1%} ({found.ci[0]:.1%} to {found.ci[1]:.1%}) on {found.rows} rows held "
        f"out in turn, {found.labels} labels"
    )
    return [Statement("classifier", text, evidence)]


def _retrieve(known: Known) -> list[Statement]:
    base = known.baseline
    major = _major(base) if base else None
    if base is None or major is None or major.code != "missing_facts":
        return []
    text = (
        "give the model the facts (retrieval, or in the prompt): tuning teaches form and manner "
        "well, facts badly"
    )
    return [Statement("retrieve", text, _share(major, base))]


def _tune(known: Known) -> Statement:
    method = {Kind.PREFERENCE: "dpo", Kind.REWARD: "rl"}.get(known.kind, "sft")
    where = "; ".join(
        f"{o.provider} {o.model} ({o.adapter}) "
        + ("at an unknown price" if o.usd.high is None else f"for {o.usd.high:.2f} USD")
        for o in known.offers
    )
    text = f"tune a small open model with {method} and LoRA, on held-out rows against the baseline"
    evidence = f"{known.examples:,} examples; cheapest: {where or 'no offer is known'}"
    if known.baseline:
        evidence += f"; the baseline has {_score(known.baseline)}"
    return Statement("tune", text, evidence)


def _major(base: Baseline) -> Failures | None:
    """The cause of at least half of the failures."""
    wrong = base.rows - base.right
    first = base.failures[0] if base.failures else None
    return first if first and first.count >= MAJOR * wrong else None


def _score(base: Baseline) -> str:
    share = base.right / base.rows
    return f"{share:.1%} right ({base.ci[0]:.1%} to {base.ci[1]:.1%}) on {base.rows} rows"


def _share(cause: Failures, base: Baseline) -> str:
    return f"{cause.count} of {base.rows - base.right} failures of {base.model}: {cause.meaning}"
