"""System texts: a model tuned under one must be called under the very same one."""

from __future__ import annotations

import difflib
from collections import Counter
from itertools import combinations

from ftbridge.dataset.quality.batch import Batch
from ftbridge.dataset.quality.finding import Finding

_KEPT = 50
"""With more distinct texts than this they are made per example, not variants of one."""

_LENGTH = 4000


class Systems:
    """Examples without a system text among others with one, and near-equal variants."""

    def __init__(self) -> None:
        self._texts: Counter[str] = Counter()
        self._lines: dict[str, list[int]] = {}
        self._many = False
        self._with = 0
        self._without = Finding("system_prompt_missing", "")

    def look(self, batch: Batch) -> None:
        """Judge a batch."""
        for line, seen in zip(batch.lines, batch.views, strict=True):
            if not seen.system:
                self._without.add(line)
                continue
            self._with += 1
            if not self._many:
                self._keep(line, seen.system[:_LENGTH])

    def _keep(self, line: int, text: str) -> None:
        if text not in self._texts and len(self._texts) >= _KEPT:
            self._many = True
            self._texts.clear()
            self._lines.clear()
            return
        self._texts[text] += 1
        first = self._lines.setdefault(text, [])
        if len(first) < 10:
            first.append(line)

    def findings(self) -> list[Finding]:
        """What was found over the whole file."""
        found = []
        total = self._with + self._without.count
        if self._with and self._without.count:
            self._without.message = (
                f"no system text, while {self._with / total:.0%} of the examples have one; the "
                "model learns its manners only in part; give all examples the text that you will "
                "call it with"
            )
            found.append(self._without)
        return found + self._variants()

    def _variants(self) -> list[Finding]:
        odd: set[str] = set()
        for usual, other in combinations([text for text, _ in self._texts.most_common()], 2):
            if other not in odd and usual not in odd and _alike(usual, other):
                odd.add(other)
        if not odd:
            return []
        message = (
            f"{len(odd)} system texts differ only a little from a commoner one; the model may "
            "behave otherwise under each; use one text, the one that you will call it with"
        )
        lines = sorted(line for text in odd for line in self._lines[text])
        count = sum(self._texts[text] for text in odd)
        return [Finding("system_prompt_variant", message, count, lines[:10])]


def _alike(one: str, other: str) -> bool:
    left, right = one.casefold().split(), other.casefold().split()
    if left == right:
        return True
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    return len(left) >= 6 and matcher.quick_ratio() >= 0.9 and matcher.ratio() >= 0.9
