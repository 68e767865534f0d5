"""One thing that looks odd in a data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN_LINES = 10
"""How many line numbers a finding names; all are counted."""


@dataclass
class Finding:
    """Something odd that is no error: a code, how often, where first, and what to do.

    ``message`` says what it does to a model and what to do about it. It never holds a value
    from the data.
    """

    code: str
    message: str
    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one more occurrence."""
        self.count += 1
        if len(self.lines) < SHOWN_LINES:
            self.lines.append(line)

    @classmethod
    def of(cls, code: str, message: str, lines: Iterable[int]) -> Finding:
        """A finding on these lines, in the order of the file."""
        ordered = sorted(int(line) for line in lines)
        return cls(code, message, len(ordered), ordered[:SHOWN_LINES])
