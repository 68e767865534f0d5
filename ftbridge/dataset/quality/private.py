"""Secrets and personal data, by kind and line, never the value."""

from __future__ import annotations

from ftbridge.dataset.quality.batch import Batch
from ftbridge.dataset.quality.finding import Finding
from ftbridge.dataset.quality.suspects import suspects
from ftbridge.dataset.scan import PERSONAL, scan_text

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

    def look(self, batch: Batch) -> None:
        """Judge a batch."""
        texts = batch.rows + batch.extras
        rows = [*range(len(batch.rows)), *batch.extra_rows]
        kinds: dict[int, set[str]] = {}
        for index in suspects(texts):
            spans = scan_text(texts[index].decode())
            if spans:
                kinds.setdefault(rows[index], set()).update(span.kind for span in spans)
        for row in sorted(kinds):
            for kind in sorted(kinds[row]):
                self._finding(kind).add(batch.lines[row])

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
