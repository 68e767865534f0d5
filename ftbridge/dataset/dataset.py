"""A training file on disk, seen as examples."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ftbridge.dataset.read import BadLine, Numbered, open_data, read
from ftbridge.dataset.types import Kind
from ftbridge.errors import DataError
from ftbridge.files import sha256_of

SHOWN_ERRORS = 20
"""How many bad lines an error names; all are counted."""


class Dataset:
    """A JSONL file of examples. Nothing is read before it is needed, nothing is held.

    Args:
        path: the file.

    Raises:
        DataError: on first use, where the file is missing, empty or unreadable.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Dataset({str(self.path)!r})"

    @property
    def kind(self) -> Kind:
        """The kind of its examples."""
        return Kind.CHAT

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the file's bytes."""
        return sha256_of(open_data(self.path))

    @property
    def bytes(self) -> int:
        """Size of the file in bytes."""
        return open_data(self.path).stat().st_size

    def read(self) -> Iterator[Numbered | BadLine]:
        """Each line as an example, or as what is wrong with it."""
        return read(self.path)

    def examples(self) -> Iterator[Numbered]:
        """Each example with its line number.

        Raises:
            DataError: at the end, if any line was bad, naming the first ``SHOWN_ERRORS`` and
                the count of all; also if there was no example at all.
        """
        shown: list[str] = []
        bad = good = 0
        for item in self.read():
            if isinstance(item, BadLine):
                bad += 1
                if len(shown) < SHOWN_ERRORS:
                    shown.append(f"{self.path}:{item.line}: {item.message}")
            else:
                good += 1
                yield item
        if bad:
            raise DataError(
                _summary(shown, bad),
                hint=f"see them all with `ftbridge check {self.path} --max-errors {bad}`",
                where=shown[0].split(": ", 1)[0],
            )
        if not good:
            raise DataError(
                f"{self.path}:1: no example; write one JSON object a line",
                where=f"{self.path}:1",
                hint="see docs/dataset-format.md",
            )


def _summary(shown: list[str], bad: int) -> str:
    rest = bad - len(shown)
    return "\n".join(shown) + (f"\n... and {rest} more bad lines" if rest else "")
