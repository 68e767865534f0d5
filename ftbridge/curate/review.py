"""A person's word on each draft: kept in the drafts' own file as soon as it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftbridge import clock
from ftbridge.curate import files
from ftbridge.dataset.drafts import ACCEPTED, DRAFT, KEY, REJECTED
from ftbridge.errors import DataError, UsageError
from ftbridge.policy.labels import carry


@dataclass(frozen=True)
class Draft:
    """One draft as it is shown: its number in the file (from 1), kind, texts and origin."""

    number: int
    status: str
    kind: str | None
    prompt: str
    answer: str
    by: str


class Review:
    """The drafts of one file. Each decision is on disk before the next one is asked for.

    Args:
        path: what ``data expand`` wrote.
        reviewer: who decides; None: the user of this machine's account.

    Raises:
        DataError: where a row of the file is no draft.
    """

    def __init__(self, path: str | Path, reviewer: str | None = None) -> None:
        self.path = Path(path)
        self.reviewer = reviewer or files.me()
        self._rows = files.read(self.path)
        for number, row in enumerate(self._rows, 1):
            told = (row.get("metadata") or {}).get(KEY)
            turns = row.get("messages")
            if not isinstance(told, dict) or not isinstance(turns, list) or len(turns) < 2:
                raise DataError(
                    f"{self.path}:{number}: no draft of `ftbridge data expand`",
                    hint="review files that it has written",
                    where=f"{self.path}:{number}",
                )

    @property
    def open(self) -> list[Draft]:
        """What nobody has decided on yet."""
        return [each for each in self.all if each.status == DRAFT]

    @property
    def all(self) -> list[Draft]:
        """Every draft."""
        return [_draft(number, row) for number, row in enumerate(self._rows, 1)]

    def accept(self, number: int, *, prompt: str | None = None, answer: str | None = None) -> None:
        """Take a draft, as it is or in a person's own words."""
        row = self._row(number)
        for place, text in ((-2, prompt), (-1, answer)):
            if text is not None and text != row["messages"][place]["content"]:
                row["messages"][place]["content"] = text
                row["metadata"][KEY]["edited"] = True
        self._decide(row, ACCEPTED)

    def reject(self, number: int) -> None:
        """Leave a draft out; it stays in this file."""
        self._decide(self._row(number), REJECTED)

    def write(self, out: str | Path) -> int:
        """Write all accepted rows to a training file, labelled as strictly as the drafts.

        Returns:
            How many.

        Raises:
            DataError: where none is accepted.
        """
        taken = [row for row in self._rows if row["metadata"][KEY]["status"] == ACCEPTED]
        if not taken:
            raise DataError(
                f"{self.path}: no draft is accepted yet", hint="review it first", where="out"
            )
        _require_ours(Path(out), self.path)
        carry(self.path, (Path(out),))
        files.write(Path(out), taken)
        return len(taken)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: counts."""
        counts = Counter(each.status for each in self.all)
        return {
            "drafts": str(self.path),
            "accepted": counts[ACCEPTED],
            "rejected": counts[REJECTED],
            "open": counts[DRAFT],
        }

    def _row(self, number: int) -> dict[str, Any]:
        if not 1 <= number <= len(self._rows):
            raise UsageError(
                f"{self.path} has no draft {number}",
                hint=f"1 to {len(self._rows)}",
                where="number",
            )
        return self._rows[number - 1]

    def _decide(self, row: dict[str, Any], status: str) -> None:
        row["metadata"][KEY] |= {
            "status": status,
            "reviewed_by": self.reviewer,
            "reviewed_at": clock.stamp(),
        }
        files.write(self.path, self._rows)


def _draft(number: int, row: dict[str, Any]) -> Draft:
    told, turns = row["metadata"][KEY], row["messages"]
    return Draft(
        number,
        told.get("status", DRAFT),
        told.get("kind"),
        _text(turns[:-1]),
        str(turns[-1].get("content")),
        str(told.get("by")),
    )


def _text(turns: Sequence[dict[str, Any]]) -> str:
    """The last user turn, which is what a draft's author wrote."""
    said = [turn for turn in turns if turn.get("role") == "user"]
    return str(said[-1].get("content")) if said else ""


def _require_ours(out: Path, drafts: Path) -> None:
    """Refuse to write over rows that no review has accepted.

    Raises:
        UsageError: the file is the drafts', or holds other rows.
    """
    if not out.exists():
        return
    rows = [] if out.samefile(drafts) else files.read(out)
    if not rows or any(KEY not in (row.get("metadata") or {}) for row in rows):
        raise UsageError(
            f"{out} holds other rows, which would be lost", hint="name a new file", where="out"
        )
