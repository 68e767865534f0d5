"""Why a model's answers are not the wanted ones, one cause a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ftbridge.dataset.quality.language import script_of
from ftbridge.evaluate.metrics.calls import made, wanted
from ftbridge.evaluate.metrics.structured import NOTHING, f1, parsed
from ftbridge.evaluate.metrics.text import normalized
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply

SHOWN_LINES = 10
MEANINGS = {
    "truncated": "the answer ends at the token limit",
    "refusal": "the model declines to answer",
    "format": "the content may be right, the form is not (no JSON, no tool call, no known label)",
    "label_confusion": "a known label, but another one",
    "language": "the answer is in another script",
    "missing_facts": "numbers and names of the wanted answer do not occur in it",
    "wording": "the facts are there, the words differ",
    "content": "the form is right, values are not",
}
_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|not able|unable)|I (?:can(?:'|no)t|won't|do not have access)"
    r"|as an AI\b|I apologi[sz]e)",
    re.IGNORECASE,
)
_FACT = re.compile(r"\d[\d.,:/-]*|\b[A-Z][\w-]{2,}|\b[A-Z]{2,}\b")
MISSING_FROM = 0.5
"""Facts are missing where fewer than this share of the reference's occur in the answer."""


@dataclass(frozen=True)
class Failures:
    """One cause: how many rows, and the first lines."""

    code: str
    count: int
    lines: tuple[int, ...]
    meaning: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def cause(row: Row, reply: ChatReply, labels: frozenset[str] | None) -> str | None:
    """Why an answer is not the wanted one; None where it is.

    Args:
        labels: the references, where they are labels.
    """
    said, reference = reply.text.strip(), row.reference.strip()
    if row.calls:
        return _of_calls(row, reply)
    if said == reference or normalized(said) == normalized(reference):
        return None
    value = parsed(reference)
    structured = isinstance(value, dict | list)
    if structured and parsed(said) is not NOTHING and f1(value, parsed(said)) == 1:
        return None
    if reply.finish_reason == "length":
        return "truncated"
    if _REFUSAL.search(said[:300]):
        return "refusal"
    if labels is not None:
        return "label_confusion" if said in labels else "format"
    if structured:
        return "format" if parsed(said) is NOTHING else "content"
    return _of_text(reference, said)


def _of_calls(row: Row, reply: ChatReply) -> str | None:
    want, got = wanted(row.calls), made(reply)
    if sorted(map(str, want)) == sorted(map(str, got)):
        return None
    if not got:
        return "truncated" if reply.finish_reason == "length" else "format"
    return "content"


def _of_text(reference: str, said: str) -> str:
    script = script_of(reference)
    if script and script_of(said) not in ("", script):
        return "language"
    facts = {fact.strip(".,:").casefold() for fact in _FACT.findall(reference)}
    if not facts:
        return "wording"
    there = sum(fact in said.casefold() for fact in facts)
    return "missing_facts" if there < MISSING_FROM * len(facts) else "wording"


def failures(
    rows: Sequence[Row], replies: Sequence[ChatReply], labels: frozenset[str] | None
) -> list[Failures]:
    """The causes, the most frequent first."""
    lines: dict[str, list[int]] = {}
    for row, reply in zip(rows, replies, strict=True):
        if (code := cause(row, reply, labels)) is not None:
            lines.setdefault(code, []).append(row.line)
    counts = Counter({code: len(found) for code, found in lines.items()})
    return [
        Failures(code, count, tuple(lines[code][:SHOWN_LINES]), MEANINGS[code])
        for code, count in counts.most_common()
    ]
