"""A training file on disk, seen as examples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from ftbridge.dataset.formats import Format, load
from ftbridge.dataset.mapping import Mapping
from ftbridge.dataset.read import BadLine, Numbered, Reader
from ftbridge.dataset.source import Source
from ftbridge.dataset.structure import Structure, structure
from ftbridge.dataset.types import Kind
from ftbridge.errors import DataError

SHOWN_ERRORS = 20
"""How many bad lines an error names; all are counted."""


class Dataset:
    """A file of examples. Nothing is read before it is needed, nothing is held.

    Args:
        path: a path, ``-`` for standard input, or an ``s3://`` or ``gs://`` URL; ``.gz`` and
            ``.zst`` are unpacked on the way.
        form: the name of its format, where it is not to be detected.
        mapping: ``role=column`` pairs for CSV, TSV, Parquet and foreign records, see
            :class:`ftbridge.dataset.mapping.Mapping`.

    Raises:
        DataError: on first use, where the file is missing, empty or unreadable.
        UsageError: for an unknown format, or a mapping that makes no example.
    """

    def __init__(
        self, path: str | Path, *, form: str | None = None, mapping: Sequence[str] = ()
    ) -> None:
        self.source = Source(path)
        self.path = self.source.path
        self._wanted = load(form) if form else None
        self._mapping = Mapping(mapping) if mapping else None

    def __repr__(self) -> str:
        return f"Dataset({self.source.location!r})"

    @cached_property
    def reader(self) -> Reader:
        """Container, format and kind, settled on first use."""
        return Reader(self.source, self._wanted, self._mapping)

    @property
    def plain(self) -> bool:
        """Whether the path alone tells how to read it again: a local file, all detected."""
        return not (self.source.remote or self._wanted or self._mapping)

    @property
    def kind(self) -> Kind:
        """The kind of its examples."""
        return self.reader.guess.kind

    @property
    def format(self) -> Format:
        """The format that it is written in."""
        return self.reader.guess.format

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the stored bytes."""
        self.source.require()
        with self.source.open_raw() as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    @property
    def bytes(self) -> int:
        """Stored size of the file in bytes."""
        return self.source.size

    def read(self) -> Iterator[Numbered | BadLine]:
        """Each record as an example, or as what is wrong with it."""
        return self.reader.read()

    def structure(self, most: int = SHOWN_ERRORS) -> Structure:
        """Whether every line is a good example, without looking at what it says."""
        return structure(self.reader, most)

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
