"""Judging a file before anything is paid for: what is wrong, and what looks odd."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import msgspec

from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.read import BadLine
from ftbridge.dataset.types import Example, Kind, text_of

SHOWN_LINES = 10
"""How many line numbers a finding names; all are counted."""


@dataclass
class Finding:
    """Something odd that is no error: a code, how often, where first, and what to do."""

    code: str
    message: str
    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one more occurrence."""
        self.count += 1
        if len(self.lines) < SHOWN_LINES:
            self.lines.append(line)


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


_WARNINGS = {
    "duplicate": "the same example stands on an earlier line; it is learnt twice as hard",
    "empty_answer": "an assistant turn is empty; the model learns to say nothing",
    "few_examples": "fewer than 50 examples; 200 to 500 are a usual start",
}


def check(dataset: Dataset, *, structure_only: bool = False, max_errors: int = 20) -> CheckReport:
    """Validate every line and judge the whole.

    Args:
        dataset: the file.
        structure_only: leave the quality judgement out.
        max_errors: how many bad lines to name.

    Raises:
        DataError: where the file itself is missing, empty or unreadable.
    """
    report = CheckReport(dataset.kind, 0, dataset.bytes, [], 0, [], 0)
    judge = None if structure_only else _Judge()
    for item in dataset.read():
        if isinstance(item, BadLine):
            report.error_count += 1
            if len(report.errors) < max_errors:
                report.errors.append(item)
            continue
        report.examples += 1
        report.characters += sum(len(text_of(message)) for message in item.example.messages)
        if judge:
            judge.look(item.line, item.example)
    if judge:
        report.warnings = judge.findings(report.examples)
    return report


class _Judge:
    """Collects findings over a file."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._findings = {code: Finding(code, text) for code, text in _WARNINGS.items()}

    def look(self, line: int, example: Example) -> None:
        content = msgspec.structs.replace(example, metadata=None)
        digest = hashlib.blake2b(msgspec.json.encode(content), digest_size=16).digest()
        if digest in self._seen:
            self._findings["duplicate"].add(line)
        self._seen.add(digest)
        if any(
            message.role == "assistant" and not message.tool_calls and not text_of(message).strip()
            for message in example.messages
        ):
            self._findings["empty_answer"].add(line)

    def findings(self, examples: int) -> list[Finding]:
        if 0 < examples < 50:
            self._findings["few_examples"].count = 1
        return [finding for finding in self._findings.values() if finding.count]
