"""Answers that say nothing or stop midway, and examples of odd length."""

from __future__ import annotations

import math
from array import array

import numpy as np

from ftbridge.dataset.quality.batch import Batch
from ftbridge.dataset.quality.finding import SHOWN_LINES, Finding

_LONG = 200
"""Characters from which on an answer is prose that ought to end like a sentence."""

_ENOUGH = 20
_ENDS_WELL = 0.8
_TIMES = 8
"""An outlier is at least this many times longer or shorter than the median."""


class Answers:
    """Empty and truncated answers, and length outliers."""

    def __init__(self) -> None:
        self._empty = Finding(
            "empty_answer",
            "an assistant turn is empty; the model learns to say nothing; write the answer or "
            "remove the example",
        )
        self._broken = Finding("truncated_answer", "")
        self._open = Finding("truncated_answer", "")
        self._prose = 0
        self._lines = array("Q")
        self._sizes = array("Q")

    def look(self, batch: Batch) -> None:
        """Judge a batch."""
        self._lines.extend(batch.lines)
        for line, seen, row in zip(batch.lines, batch.views, batch.rows, strict=True):
            self._sizes.append(len(row))
            if seen.empty:
                self._empty.add(line)
            elif not seen.calls:
                self._end(line, seen.answer.rstrip())

    def _end(self, line: int, answer: str) -> None:
        """Whether the answer stops in the middle of JSON, of a code block, or of a sentence."""
        begins = answer.lstrip()[:1]
        if answer.count("```") % 2 or (begins == "{" and not answer.endswith("}")):
            self._broken.add(line)
        elif len(answer) >= _LONG:
            self._prose += 1
            if answer[-1].isalnum() or answer[-1] in ",;-(":
                self._open.add(line)

    def findings(self) -> list[Finding]:
        """What was found over the whole file."""
        found = [finding for finding in (self._empty, self._truncated()) if finding.count]
        return found + self._outliers()

    def _truncated(self) -> Finding:
        """Open sentences count only where nearly all other long answers end well."""
        total = Finding(
            "truncated_answer",
            "an answer stops in mid sentence, code block or JSON; the model learns to stop there; "
            "complete it or remove the example",
            self._broken.count,
            self._broken.lines,
        )
        if self._prose >= _ENOUGH and self._open.count <= (1 - _ENDS_WELL) * self._prose:
            total.count += self._open.count
            total.lines = sorted(self._broken.lines + self._open.lines)[:SHOWN_LINES]
        return total

    def _outliers(self) -> list[Finding]:
        if len(self._sizes) < _ENOUGH:
            return []
        lines = np.array(self._lines, np.int64)
        size = np.log(np.array(self._sizes, np.float64) + 1)
        middle = float(np.median(size))
        spread = 1.4826 * float(np.median(np.abs(size - middle)))
        odd = np.abs(size - middle) > max(math.log(_TIMES), 5 * spread)
        message = (
            f"far longer or shorter than the median of {round(math.exp(middle)) - 1:,} bytes; long "
            "ones dominate the loss and may be cut off, short ones teach little; look at them"
        )
        finding = Finding.of("length_outlier", message, lines[odd])
        return [finding] if finding.count else []
