"""Metrics of plain text: equal, equal but for form, the same number, the same match."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from ftbridge.errors import UsageError
from ftbridge.evaluate.metrics.metric import Metric, Settings

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NUMBER = re.compile(r"[-+]?(?:\d[\d,\u00a0\u202f']*\d|\d)(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+]?\.\d+")
_MARKED = re.compile(r"####\s*(.+)")


def normalized(text: str) -> str:
    """Without case, punctuation, English articles and runs of spaces (SQuAD's rule, 2016)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(" " if unicodedata.category(char)[0] == "P" else char for char in folded)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def last_number(text: str) -> Decimal | None:
    """The number that an answer ends with: after ``####`` if there is one, else the last.

    Thousands separators (comma, apostrophe, thin space) and a trailing point are no part of it.
    """
    marked = _MARKED.findall(text)
    found = _NUMBER.findall(marked[-1] if marked else text)
    if not found:
        return None
    try:
        return Decimal(re.sub(r"[,\u00a0\u202f']", "", found[0 if marked else -1]))
    except InvalidOperation:
        return None


def exact_match(settings: Settings) -> Metric:
    """Equal, spaces at the ends aside."""
    return Metric(
        "exact_match", lambda row, reply: float(reply.text.strip() == row.reference.strip())
    )


def normalized_match(settings: Settings) -> Metric:
    """Equal after :func:`normalized`."""
    return Metric(
        "normalized_match",
        lambda row, reply: float(normalized(reply.text) == normalized(row.reference)),
    )


def number_match(settings: Settings) -> Metric:
    """The same :func:`last_number`, by value (1,000 is 1000.0)."""

    def score(reference: str, answer: str) -> float:
        wanted = last_number(reference)
        return float(wanted is not None and last_number(answer) == wanted)

    return Metric("number_match", lambda row, reply: score(row.reference, reply.text))


def regex(settings: Settings) -> Metric:
    """What the pattern finds first is the same in answer and reference.

    Raises:
        UsageError: without a pattern, or with one that does not compile.
    """
    if settings.pattern is None:
        raise UsageError("regex needs a pattern", hint="--pattern EXPRESSION", where="pattern")
    try:
        pattern = re.compile(settings.pattern)
    except re.error as error:
        raise UsageError(
            f"`{settings.pattern}` is no regular expression: {error}", where="pattern"
        ) from None

    def found(text: str) -> str | None:
        match = pattern.search(text)
        return match and match[min(1, pattern.groups)]

    def score(reference: str, answer: str) -> float:
        wanted = found(reference)
        return float(wanted is not None and found(answer) == wanted)

    return Metric("regex", lambda row, reply: score(row.reference, reply.text))
