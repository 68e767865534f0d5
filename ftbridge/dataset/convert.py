"""From any format to any other, with a report of what could not be carried."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ftbridge.dataset.dataset import SHOWN_ERRORS, Dataset, Faults
from ftbridge.dataset.formats import LOSSES, Format, load
from ftbridge.dataset.parallel import append_file, in_parts, spread
from ftbridge.dataset.read import BadLine, Reader
from ftbridge.errors import DataError, LossError
from ftbridge.files import atomic_write
from ftbridge.policy.labels import carry

SHOWN_LINES = 10
"""How many line numbers a loss names; all are counted."""

PARTS_EACH = 4
"""Parts for a worker: what is written already is joined while others are still converted."""

BATCH = 128
"""Lines written at once, which saves a call and a copy each."""


@dataclass
class Lost:
    """One code: how often, on which lines first, and what it means."""

    code: str
    count: int = 0
    lines: list[int] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The sentence for people."""
        return LOSSES[self.code]


@dataclass
class Conversion:
    """What became of a file. ``lines`` counts those of the source, blank ones included."""

    written: int = 0
    lines: int = 0
    losses: dict[str, Lost] = field(default_factory=dict)
    errors: list[BadLine] = field(default_factory=list)
    error_count: int = 0

    def lose(self, code: str, line: int) -> None:
        """Count a loss."""
        lost = self.losses.setdefault(code, Lost(code))
        lost.count += 1
        if len(lost.lines) < SHOWN_LINES:
            lost.lines.append(line)

    def fault(self, bad: BadLine) -> None:
        """Count a line that could not be converted."""
        self.error_count += 1
        if len(self.errors) < SHOWN_ERRORS:
            self.errors.append(bad)

    def add(self, part: Conversion) -> None:
        """Append the report of the part of the file that follows."""
        for lost in part.losses.values():
            mine = self.losses.setdefault(lost.code, Lost(lost.code))
            mine.count += lost.count
            mine.lines += [line + self.lines for line in lost.lines]
            del mine.lines[SHOWN_LINES:]
        self.errors += [BadLine(bad.line + self.lines, bad.message) for bad in part.errors]
        del self.errors[SHOWN_ERRORS:]
        self.error_count += part.error_count
        self.written += part.written
        self.lines += part.lines


def convert(
    dataset: Dataset, to: str, out: Path, *, allow_lossy: bool = False, workers: int = 1
) -> Conversion:
    """Write a file in another format; nothing is written unless all of it can be.

    Args:
        to: the name of the format.
        out: the file, replaced at once when all is well (mode 0600).
        allow_lossy: write although something is lost.
        workers: processes; more than one only for plain local JSONL.

    Raises:
        DataError: for bad lines and lines that have no shape in that format, by line.
        LossError: where something would be lost and that was not allowed.
    """
    form = load(to)
    report = Conversion()
    with atomic_write(out, durable=False) as stream:
        parts = in_parts(dataset.reader, workers, PARTS_EACH)
        if len(parts) > 1:
            _convert_parts(parts, form, out, stream, report, workers)
        else:
            write(dataset.reader, form, stream, report)
        _require_good(report, dataset)
        if report.losses and not allow_lossy:
            raise lossy(to, report.losses.values())
        carry(dataset.source.location, (out,))
    return report


def write(reader: Reader, form: Format, stream: BinaryIO, report: Conversion) -> None:
    """Convert one source, or one part of it, line by line."""
    encode, lines = form.encode, []
    for item in reader.read():
        if isinstance(item, BadLine):
            report.fault(item)
            continue
        try:
            line, losses = encode(item.example)
        except DataError as error:
            report.fault(BadLine(item.line, error.message))
            continue
        lines.append(line)
        if len(lines) == BATCH:
            stream.write(b"\n".join((*lines, b"")))
            report.written += len(lines)
            lines.clear()
        for code in losses:
            report.lose(code, item.line)
    stream.write(b"\n".join((*lines, b"")))
    report.written += len(lines)


def _convert_parts(
    parts: list[Reader], form: Format, out: Path, stream: BinaryIO, report: Conversion, workers: int
) -> None:
    files = [out.with_name(f".{out.name}.part{index}") for index in range(len(parts))]
    jobs = [(part, form.name, file) for part, file in zip(parts, files, strict=True)]
    try:
        with closing(spread(_convert_part, jobs, workers)) as made_parts:
            for made, file in zip(made_parts, files, strict=True):
                report.add(made)
                append_file(stream, file)
                file.unlink()
    finally:
        for part_file in files:
            part_file.unlink(missing_ok=True)


def _convert_part(job: tuple[Reader, str, Path]) -> Conversion:
    reader, to, file = job
    report = Conversion()
    # Mode 0600 from the start, as the whole will be.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        write(reader, load(to), stream, report)
    report.lines = reader.count_lines()
    return report


def _require_good(report: Conversion, dataset: Dataset) -> None:
    faults = Faults(dataset.source.location)
    for bad in report.errors:
        faults.add(bad)
    faults.count = report.error_count
    faults.require_none(f"ftbridge check {dataset.source.location}")
    if not report.written:
        raise DataError(
            f"{dataset.source.location}:1: no example; write one JSON object a line",
            where=f"{dataset.source.location}:1",
        )


def lossy(to: str, losses: Iterable[Lost]) -> LossError:
    """The refusal to lose something, naming what and where first."""
    ordered = sorted(losses, key=lambda lost: lost.code)
    named = ", ".join(
        f"{lost.code} ({lost.count}, first on line {lost.lines[0]})" for lost in ordered
    )
    return LossError(
        f"the format {to} cannot carry everything: {named}",
        hint="allow it with --allow-lossy, or choose another format",
        document={"losses": [vars(lost) | {"message": lost.message} for lost in ordered]},
    )
