"""Judging a file before anything is paid for: what is wrong, and what looks odd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ftbridge.cost.types import TokenCount
from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.quality.finding import Finding
from ftbridge.dataset.quality.volume import advice
from ftbridge.dataset.read import BadLine, Numbered
from ftbridge.dataset.types import Kind
from ftbridge.dataset.vendor_rules import faults

__all__ = ["CheckReport", "Finding", "check"]


@dataclass
class CheckReport:
    """What a check found. ``errors`` are capped, ``error_count`` counts them all.

    ``characters`` counts those of all texts, ``tokens`` what they come to; None where only the
    structure was checked, or something is wrong.
    """

    kind: Kind
    examples: int
    bytes: int
    errors: list[BadLine]
    error_count: int
    warnings: list[Finding]
    characters: int | None
    tokens: TokenCount | None = None

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
    provider: str | None = None,
) -> CheckReport:
    """Validate every line and judge the whole.

    Args:
        dataset: the file.
        structure_only: leave the quality judgement out.
        max_errors: how many bad lines to name.
        validation: a validation file, to find what leaks into it.
        provider: also name what this provider (or one of its formats) would reject.

    Raises:
        DataError: where the file itself is missing, empty or unreadable, or the validation file
            holds a bad line.
    """
    report = _judged(dataset, structure_only, max_errors, validation)
    if not report.examples and not report.error_count:
        report.error_count = 1
        report.errors = [BadLine(1, "no example; write one JSON object a line")][:max_errors]
    for bad in faults(dataset, provider) if provider else ():
        report.error_count += 1
        if len(report.errors) < max_errors:
            report.errors.append(bad)
    return report


def _judged(
    dataset: Dataset, structure_only: bool, max_errors: int, validation: Dataset | None
) -> CheckReport:
    if structure_only:
        found = dataset.structure(max_errors)
        counts = (found.errors, found.error_count)
        return CheckReport(dataset.kind, found.examples, dataset.bytes, *counts, [], None)
    # numpy and the sketches are loaded only where quality is judged.
    from ftbridge.dataset.quality.judge import judge

    report = CheckReport(dataset.kind, 0, dataset.bytes, [], 0, [], None)
    good = _counted(dataset, report, max_errors)
    report.warnings, report.characters = judge(
        good, dataset.kind, validation.examples() if validation else None
    )
    return report


def _counted(dataset: Dataset, report: CheckReport, max_errors: int) -> Iterator[Numbered]:
    """The good examples, while all lines are counted into the report."""
    for item in dataset.read():
        if isinstance(item, BadLine):
            report.error_count += 1
            if len(report.errors) < max_errors:
                report.errors.append(item)
        else:
            report.examples += 1
            yield item
