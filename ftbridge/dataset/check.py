"""Judging a file before anything is paid for: what is wrong, and what looks odd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.quality.finding import Finding
from ftbridge.dataset.quality.volume import advice
from ftbridge.dataset.read import BadLine, Numbered
from ftbridge.dataset.types import Example, Kind, Text, messages_of, text_of

__all__ = ["CheckReport", "Finding", "check"]


@dataclass
class CheckReport:
    """What a check found. ``errors`` are capped, ``error_count`` counts them all."""

    kind: Kind
    examples: int
    bytes: int
    errors: list[BadLine]
    error_count: int
    warnings: list[Finding]
    characters: int

    @property
    def ok(self) -> bool:
        """Whether the file can be trained on."""
        return self.error_count == 0 and self.examples > 0

    @property
    def advice(self) -> str:
        """One sentence on what a set of this size is good for."""
        return advice(self.examples)


def check(
    dataset: Dataset,
    *,
    structure_only: bool = False,
    max_errors: int = 20,
    validation: Dataset | None = None,
) -> CheckReport:
    """Validate every line and judge the whole.

    Args:
        dataset: the file.
        structure_only: leave the quality judgement out.
        max_errors: how many bad lines to name.
        validation: a validation file, to find what leaks into it.

    Raises:
        DataError: where the file itself is missing, empty or unreadable, or the validation file
            holds a bad line.
    """
    report = CheckReport(dataset.kind, 0, dataset.bytes, [], 0, [], 0)
    good = _counted(dataset, report, max_errors)
    if structure_only:
        for _ in good:
            pass
        return report
    # numpy and the sketches are loaded only where quality is judged.
    from ftbridge.dataset.quality.judge import judge

    report.warnings = judge(good, dataset.kind, validation.examples() if validation else None)
    return report


def _counted(dataset: Dataset, report: CheckReport, max_errors: int) -> Iterator[Numbered]:
    """The good examples, while all lines are counted into the report."""
    for item in dataset.read():
        if isinstance(item, BadLine):
            report.error_count += 1
            if len(report.errors) < max_errors:
                report.errors.append(item)
            continue
        report.examples += 1
        report.characters += _characters(item.example)
        yield item


def _characters(example: Example) -> int:
    if isinstance(example, Text):
        return len(example.text)
    total = 0
    for message in messages_of(example):
        content = message.content
        total += len(content) if isinstance(content, str) else len(text_of(message))
    return total
