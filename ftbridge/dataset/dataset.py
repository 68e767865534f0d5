"""A training file on disk, seen as examples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from ftbridge.dataset.formats import Format, load
from ftbridge.dataset.mapping import Mapping
from ftbridge.dataset.parallel import in_parts
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
        odd = self.source.remote or self.source.location == "-"
        return not (odd or self._wanted or self._mapping)

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

    def structure(self, most: int = SHOWN_ERRORS, workers: int = 1) -> Structure:
        """Whether every line is a good example, without looking at what it says.

        Args:
            most: how many bad lines to name.
            workers: processes; more than one only for plain local JSONL.
        """
        return structure(in_parts(self.reader, workers), most)

    def examples(self) -> Iterator[Numbered]:
        """Each example with its line number.

        Raises:
            DataError: at the end, if any line was bad, naming the first ``SHOWN_ERRORS`` and
                the count of all; also if there was no example at all.
        """
        faults = Faults(self.source.location)
        good = 0
        for item in self.read():
            if isinstance(item, BadLine):
                faults.add(item)
            else:
                good += 1
                yield item
        faults.require_none(f"ftbridge check {self.source.location}")
        if not good:
            raise DataError(
                f"{self.source.location}:1: no example; write one JSON object a line",
                where=f"{self.source.location}:1",
                hint="see docs/dataset-format.md",
            )


class Faults:
    """Bad lines of one file on their way into one error: some shown, all counted."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._shown: list[str] = []
        self.count = 0

    def add(self, bad: BadLine) -> None:
        """Count a bad line, and keep it while there is room."""
        self.count += 1
        if len(self._shown) < SHOWN_ERRORS:
            self._shown.append(f"{self._location}:{bad.line}: {bad.message}")

    def require_none(self, command: str) -> None:
        """Raise DataError if there was any; ``command`` shows them all."""
        if not self.count:
            return
        rest = self.count - len(self._shown)
        more = f"\n... and {rest} more bad lines" if rest else ""
        raise DataError(
            "\n".join(self._shown) + more,
            hint=f"see them all with `{command} --max-errors {self.count}`",
            where=self._shown[0].split(": ", 1)[0],
        )
