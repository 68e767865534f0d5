"""Are the answers all of one form: JSON with the same keys, or labels from one set."""

from __future__ import annotations

import difflib
import re
from collections import Counter

import msgspec

from ftbridge.dataset.quality.batch import Batch
from ftbridge.dataset.quality.finding import Finding

_MOST_LABELS = 1000
_LABEL_LENGTH = 64
_MIXED = 0.05
"""A minority form below one half is reported; a JSON share below this is chance."""


class Form:
    """JSON answers, label answers, and what departs from them."""

    def __init__(self) -> None:
        self._answers = 0
        self._shapes: Counter[str] = Counter()
        self._first: dict[str, list[int]] = {}
        self._broken = Finding("invalid_json_answer", "")
        self._short = 0
        self.labels: Counter[str] = Counter()
        self._label_lines: dict[str, list[int]] = {}

    def look(self, batch: Batch) -> None:
        """Judge a batch."""
        for line, seen in zip(batch.lines, batch.views, strict=True):
            answer = seen.answer.strip()
            if not answer or seen.calls:
                continue
            self._answers += 1
            self._shape(line, answer)
            if len(answer) <= _LABEL_LENGTH and "\n" not in answer:
                self._short += 1
                if answer in self.labels or len(self.labels) < _MOST_LABELS:
                    self.labels[answer] += 1
                    _note(self._label_lines, answer, line)

    def _shape(self, line: int, answer: str) -> None:
        shape = "text"
        if answer[0] in "{[":
            try:
                value = msgspec.json.decode(answer)
            except (msgspec.DecodeError, RecursionError, ValueError):
                shape = "broken"
                self._broken.add(line)
            else:
                shape = f"json {sorted(value)}" if isinstance(value, dict) else "json array"
        if shape in self._shapes or len(self._shapes) < _MOST_LABELS:
            self._shapes[shape] += 1
            _note(self._first, shape, line)

    @property
    def is_label_task(self) -> bool:
        """Whether the answers are labels: short, and each label many times over."""
        return (
            self._short >= 20
            and self._short >= 0.9 * self._answers
            and len(self.labels) * 4 <= self._short
        )

    def findings(self) -> list[Finding]:
        """What was found over the whole file."""
        found = self._json_findings()
        if self.is_label_task:
            found += [*_spelling(self.labels, self._label_lines), *self._balance()]
        return [finding for finding in found if finding.count]

    def _json_findings(self) -> list[Finding]:
        valid = sum(count for shape, count in self._shapes.items() if shape.startswith("json"))
        if valid < _MIXED * self._answers or not valid:
            return []
        share = valid / self._answers
        broken = self._broken
        broken.message = (
            f"an answer begins like JSON and does not parse ({share:.1%} of all answers do); the "
            "model learns to write broken JSON; repair it"
        )
        found = [broken]
        text = self._shapes["text"]
        if text:
            message = (
                f"{share:.1%} of the answers are JSON and the others are not; the model mixes the "
                "forms; write all in one form, or say in the prompt which one is wanted"
            )
            found.append(self._minority("mixed_format", message, text, valid, "text"))
        return [*found, *self._key_findings(valid)]

    def _minority(self, code: str, message: str, text: int, valid: int, shape: str) -> Finding:
        """The lines of the rarer of the two forms."""
        if text > valid:
            text = valid
            shape = next(name for name in self._shapes if name.startswith("json"))
        return Finding(code, message, text, self._first[shape])

    def _key_findings(self, valid: int) -> list[Finding]:
        shapes = [(n, shape) for shape, n in self._shapes.items() if shape.startswith("json")]
        most, usual = max(shapes)
        if len(shapes) < 2 or most < 0.5 * valid:
            return []
        others = sorted(line for n, s in shapes if s != usual for line in self._first[s])
        message = (
            f"{most / valid:.1%} of the JSON answers have the same keys and these have others; "
            "the model learns to leave keys out or to invent some; give all the same keys"
        )
        return [Finding("json_keys", message, valid - most, others[:10])]

    def _balance(self) -> list[Finding]:
        rare = [label for label, n in self.labels.items() if n < 10]
        lines = sorted(line for label in rare for line in self._label_lines[label])
        (_, most), least = self.labels.most_common(1)[0], min(self.labels.values())
        few = Finding(
            "rare_label",
            f"{len(rare)} of {len(self.labels)} labels have fewer than 10 examples; the model "
            "hardly learns them; collect more or merge labels",
            sum(self.labels[label] for label in rare),
            lines[:10],
        )
        skewed = Finding(
            "class_imbalance",
            f"the commonest label has {most:,} examples and the rarest {least:,}; the model "
            "prefers the common one when in doubt; even them out to within 10 to 1",
            1 if most > 10 * least else 0,
        )
        return [few, skewed]


def _note(lines: dict[str, list[int]], key: str, line: int) -> None:
    first = lines.setdefault(key, [])
    if len(first) < 10:
        first.append(line)


def _spelling(labels: Counter[str], lines: dict[str, list[int]]) -> list[Finding]:
    """Labels that are another label but for case, signs, or a letter or two in a rare one."""
    usual: dict[str, str] = {}
    odd: list[str] = []
    for label, count in labels.most_common():
        key = re.sub(r"[\W_]+", "", label.casefold())
        if key in usual:
            odd.append(label)
            continue
        if count <= 3 and len(key) >= 5:
            near = difflib.get_close_matches(key, usual, n=1, cutoff=0.85)
            if near and labels[usual[near[0]]] >= 10 * count:
                odd.append(label)
                continue
        usual[key] = label
    where = sorted(line for label in odd for line in lines[label])
    message = (
        f"{len(odd)} labels look like another spelling of a commoner one; the model learns both "
        "and any exact comparison fails; write each label in one way"
    )
    return [Finding("label_spelling", message, sum(labels[label] for label in odd), where[:10])]
