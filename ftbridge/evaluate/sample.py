"""Which rows of an evaluation are worth reading side by side: kept by line and call, without text.

The ledger holds no text of the data. A row is remembered by its line and by the hashes of the two
calls, whose replies lie in files of their own: who may read those can put the row together again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MOST_OF_A_KIND = 5


@dataclass(frozen=True)
class Sampled:
    """One row: its line in the file, both calls' hashes, and what each answer scored (0..1)."""

    line: int
    kind: str
    baseline: str
    tuned: str
    baseline_score: float
    tuned_score: float


@dataclass(frozen=True)
class Sample:
    """Some rows of a file, and the strictest label under which they were asked."""

    file: str
    sha256: str
    privacy: str
    rows: tuple[Sampled, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def pick(
    lines: Sequence[int],
    calls: tuple[Sequence[str], Sequence[str]],
    scores: tuple[Sequence[float], Sequence[float]],
) -> tuple[Sampled, ...]:
    """Rows that show the difference, at most :data:`MOST_OF_A_KIND` of each kind.

    The kinds are ``gained``, ``lost``, ``neither`` (both score 0) and ``both``; of each, rows are
    taken at even distances over the file, so that the same evaluation shows the same rows.

    Args:
        calls: the hashes of the baseline's calls and of the tuned model's.
        scores: theirs by the first metric.
    """
    kinds: dict[str, list[Sampled]] = {"gained": [], "lost": [], "neither": [], "both": []}
    for line, base_call, tuned_call, base, tuned in zip(lines, *calls, *scores, strict=True):
        kind = _kind(base, tuned)
        kinds[kind].append(Sampled(line, kind, base_call, tuned_call, base, tuned))
    return tuple(row for rows in kinds.values() for row in _spread(rows))


def _kind(base: float, tuned: float) -> str:
    if tuned != base:
        return "gained" if tuned > base else "lost"
    return "both" if tuned else "neither"


def _spread(rows: Sequence[Sampled]) -> list[Sampled]:
    if len(rows) <= MOST_OF_A_KIND:
        return list(rows)
    return [rows[index * len(rows) // MOST_OF_A_KIND] for index in range(MOST_OF_A_KIND)]
