"""What tuning has cost: general ability before and after, on questions of no task in particular.

The package's own set (``general.jsonl``) is small and written for it: arithmetic, facts, format,
reasoning, language, refusals, and harmless questions that must not be refused. It shows large
losses, such as a model that answers everything with a label; its minimum detectable difference
stands beside the result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ftbridge.dataset import Dataset
from ftbridge.errors import DataError
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate import scoring
from ftbridge.evaluate.bench import Scores
from ftbridge.evaluate.metrics import text
from ftbridge.evaluate.metrics.metric import Metric, Settings
from ftbridge.evaluate.metrics.structured import json_valid
from ftbridge.evaluate.result import Comparison
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply, ChatRequest

GENERAL = Path(__file__).with_name("general.jsonl")
MAX_TOKENS = 96
_NAMED = {
    name: maker(Settings())
    for name, maker in (
        ("exact_match", text.exact_match),
        ("normalized_match", text.normalized_match),
        ("number_match", text.number_match),
        ("json_valid", json_valid),
    )
}
WORDS = {"better": "gained", "worse": "lost", "no evidence": "no evidence of loss"}


@dataclass(frozen=True)
class Category:
    """One kind of question, and the share of it that each model got right."""

    category: str
    n: int
    baseline: float
    tuned: float


@dataclass(frozen=True)
class Forgetting:
    """General ability of baseline and tuned model on a probe set."""

    probe: str
    n: int
    comparison: Comparison
    categories: tuple[Category, ...]

    @property
    def verdict(self) -> str:
        """``lost``, ``gained`` or ``no evidence of loss``."""
        return WORDS[self.comparison.verdict]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; ``loss`` is what the baseline can and the tuned model cannot."""
        told, each = self.comparison.to_dict(), self.comparison
        low, high = each.difference_ci
        return {
            "probe": self.probe,
            "n": self.n,
            "baseline": told["baseline"],
            "tuned": told["tuned"],
            "loss": {
                "value": -each.difference, "ci": [-high, -low], "p": each.p, "test": each.test,
            },
            "minimum_detectable": each.minimum_detectable,
            "verdict": self.verdict,
            "categories": [asdict(each) for each in self.categories],
        }  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """A probe set, ready to be asked: by each row's own words, without examples or prompt."""

    dataset: Dataset
    rows: list[Row]

    @classmethod
    def load(cls, path: Path | None = None) -> Probe:
        """The package's set, or a file of chats.

        A row may say in ``metadata`` its ``category`` and how its answer is judged: ``pattern``
        (found anywhere), or ``metric`` (:data:`_NAMED`); else the reference must stand in it.

        Raises:
            DataError: where a row names no such metric, or a pattern that does not compile.
        """
        dataset = Dataset(path or GENERAL)
        rows = rows_of.load(dataset, None)
        for row in rows:
            _require_fitting(dataset, row)
        return cls(dataset, rows)

    @property
    def requests(self) -> list[ChatRequest]:
        """What both models are asked."""
        return [rows_of.request(row, MAX_TOKENS) for row in self.rows]

    def compare(self, base: Sequence[ChatReply], tuned: Sequence[ChatReply]) -> Forgetting:
        """What both have said, paired by row."""
        before, after = (
            [right(row, reply) for row, reply in zip(self.rows, replies, strict=True)]
            for replies in (base, tuned)
        )
        measure = Metric("general_ability", right)
        names = [str(row.metadata.get("category", "general")) for row in self.rows]
        return Forgetting(
            "general" if self.dataset.path == GENERAL else str(self.dataset.path),
            len(self.rows),
            scoring.compare(measure, Scores(before, after)),
            tuple(_category(name, names, before, after) for name in dict.fromkeys(names)),
        )


def right(row: Row, reply: ChatReply) -> float:
    """Whether an answer to a probe is right: 0 or 1."""
    if "pattern" in row.metadata:
        return float(re.search(row.metadata["pattern"], reply.text, re.IGNORECASE) is not None)
    named = row.metadata.get("metric")
    if named:
        return _NAMED[named].score(row, reply)
    wanted, given = text.normalized(row.reference), text.normalized(reply.text)
    return float(bool(wanted) and f" {wanted} " in f" {given} ")


def _category(
    name: str, names: Sequence[str], before: Sequence[float], after: Sequence[float]
) -> Category:
    mine = [i for i, each in enumerate(names) if each == name]
    shares = (sum(scores[i] for i in mine) / len(mine) for scores in (before, after))
    return Category(name, len(mine), *shares)


def _require_fitting(dataset: Dataset, row: Row) -> None:
    where = f"{dataset.path}:{row.line}"
    named = row.metadata.get("metric")
    if named is not None and named not in _NAMED:
        raise DataError(
            f"{where}: metadata.metric is none of {', '.join(_NAMED)}",
            hint="name one of them, give a metadata.pattern, or leave both out",
            where=where,
        )
    try:
        re.compile(row.metadata.get("pattern", ""))
    except (re.error, TypeError):
        raise DataError(
            f"{where}: metadata.pattern is no regular expression", hint="correct it", where=where
        ) from None
