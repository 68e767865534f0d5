"""Secrets and personal data, by kind and line, never the value."""

from __future__ import annotations

from ftbridge.dataset.quality.batch import Batch
from ftbridge.dataset.quality.finding import Finding
from ftbridge.dataset.quality.suspects import suspects
from ftbridge.dataset.quality.view import tool_texts
from ftbridge.dataset.scan import PERSONAL, scan_text
from ftbridge.dataset.types import Example, Text

_TOOLS_KEPT = 10_000
_NAMES = {
    "email": "e-mail addresses",
    "phone": "telephone numbers",
    "iban": "bank accounts (IBAN)",
    "card": "payment card numbers",
    "ssn": "social security numbers",
}


class Private:
    """Counts examples that hold each kind of secret or personal data."""

    def __init__(self) -> None:
        self._findings: dict[str, Finding] = {}
        self._tools: set[str] = set()

    def look(self, batch: Batch) -> None:
        """Judge a batch."""
        texts = batch.rows + batch.extras
        rows = [*range(len(batch.rows)), *batch.extra_rows]
        for row, example in enumerate(batch.examples):
            for text in self._new_tools(example):
                texts.append(text)
                rows.append(row)
        kinds: dict[int, set[str]] = {}
        for index, looks in suspects(texts).items():
            spans = scan_text(texts[index].decode(), looks)
            if spans:
                kinds.setdefault(rows[index], set()).update(span.kind for span in spans)
        for row in sorted(kinds):
            for kind in sorted(kinds[row]):
                self._finding(kind).add(batch.lines[row])

    def _new_tools(self, example: Example) -> list[bytes]:
        """The tools not seen before: most sets offer the same few in every example."""
        if isinstance(example, Text) or not example.tools:
            return []
        new = []
        for text in tool_texts(example):
            if text not in self._tools and len(self._tools) < _TOOLS_KEPT:
                self._tools.add(text)
                new.append(text.encode() + b"\n")
        return new

    def _finding(self, kind: str) -> Finding:
        if kind not in self._findings:
            self._findings[kind] = _new(kind)
        return self._findings[kind]

    def findings(self) -> list[Finding]:
        """Secrets first, then personal data."""
        return sorted(self._findings.values(), key=lambda f: (f.code[:1] != "s", f.code))


def _new(kind: str) -> Finding:
    if kind in PERSONAL:
        return Finding(
            f"personal_data.{kind}",
            f"{_NAMES[kind]}: a tuned model can repeat them to anyone; replace them with "
            "`ftbridge redact` unless you may use them so",
        )
    what = kind.replace("_", " ")
    return Finding(
        f"secret.{kind}",
        f"looks like a secret ({what}): a tuned model can repeat it to anyone; revoke it, and "
        "replace it with `ftbridge redact`",
    )
