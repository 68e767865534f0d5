"""Finding secrets and personal data in text, by rule and checksum, without a model.

A rule alone is too eager for numbers, so cards must satisfy Luhn, bank accounts mod 97 and the
length of their country, social security numbers the ranges that were ever issued, and telephone
numbers must look like one or stand beside a word that says so. No value ever leaves this module:
a :class:`Span` is a kind and a place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, get_args

from ftbridge.dataset.scan_rules import card_ok, iban_length, iban_ok, phone_ok, ssn_ok


class Span(NamedTuple):
    """Where something private stands in a text, and of what kind it is."""

    start: int
    end: int
    kind: str


PERSONAL = frozenset({"email", "phone", "iban", "card", "ssn"})
"""Kinds that are personal data; every other kind is a secret."""

SENSITIVE_KEY = re.compile(
    r"(?:password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token"
    r"|access[_-]?token|client[_-]?secret|private[_-]?key|account[_-]?key)$",
    re.IGNORECASE,
)
"""Names whose value is a secret whatever it looks like."""

# Each pattern has one group at most: the part that is private. Quantifiers are bounded, so that
# no text, however odd, takes more than linear time.
_SECRETS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (
        "private_key",
        "-----BEGIN",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?"
            r"(?:-----END[A-Z -]{0,40}-----|\Z)"
        ),
    ),
    ("api_key", "sk-", re.compile(r"(?<![\w-])sk-[A-Za-z0-9_-]{16,250}")),
    ("stripe_key", "k_", re.compile(r"(?<!\w)[rs]k_(?:live|test)_[A-Za-z0-9]{16,120}")),
    ("aws_key", "AKIA", re.compile(r"(?<![A-Z0-9])AKIA[A-Z0-9]{16}(?![A-Z0-9])")),
    ("aws_key", "ASIA", re.compile(r"(?<![A-Z0-9])ASIA[A-Z0-9]{16}(?![A-Z0-9])")),
    ("github_token", "gh", re.compile(r"(?<!\w)gh[pousr]_[A-Za-z0-9]{30,255}")),
    ("github_token", "github_pat_", re.compile(r"github_pat_[A-Za-z0-9_]{22,255}")),
    ("gitlab_token", "glpat-", re.compile(r"glpat-[A-Za-z0-9_-]{20,64}")),
    ("slack_token", "xox", re.compile(r"(?<!\w)xox[abeoprs]-[A-Za-z0-9-]{14,250}")),
    ("google_key", "AIza", re.compile(r"(?<!\w)AIza[A-Za-z0-9_-]{35}")),
    ("huggingface_token", "hf_", re.compile(r"(?<!\w)hf_[A-Za-z0-9]{30,60}")),
    ("npm_token", "npm_", re.compile(r"(?<!\w)npm_[A-Za-z0-9]{36}")),
    ("jwt", "eyJ", re.compile(r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,1000}")),
    (
        "url_password",
        "://",
        re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@\"'<]{0,100}:([^\s/@\"'<]{1,200})@"),
    ),
    ("bearer_token", "earer", re.compile(r"[Bb]earer\s{1,3}([A-Za-z0-9._~+/-]{20,2000}=*)")),
)
# Names that give a value away: how they end, and what has to stand before that.
_NAMES: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    ("password", None),
    ("passwd", None),
    ("passphrase", None),
    ("pwd", None),
    ("secret", None),
    ("key", re.compile(r"(?:api|access|account|secret)[_ -]?\Z", re.IGNORECASE)),
    ("token", re.compile(r"(?:auth|access|api|refresh)[_-]?\Z", re.IGNORECASE)),
)
_ASSIGNED = re.compile(
    r"(?:\\?[\"'])?\s{0,3}(?:[:=]|is\b)\s{0,3}(?:\\?[\"'])?(?![\"'<\\])([^\s\"',;<>\\]{4,200})"
)
_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[A-Za-z0-9\u00a1-\uffff](?:[\w-]{0,62})\.){1,8}"
    r"[A-Za-z\u00a1-\uffff]{2,24}(?![\w-])"
)
# These begin with what they look for and look back from there, which re finds much faster than
# a pattern that begins by looking back.
_IBAN = re.compile(
    r"\d\d(?<=[A-Za-z]{2}\d\d)(?<![A-Za-z0-9][A-Za-z]{2}\d\d)(?:[ -]?[A-Za-z0-9]){11,32}"
)
_NUMBER = re.compile(r"[+(\d](?<![\w.].)[\d ().\-/\u00a0]{5,30}\d(?!\w)")
_CARD = re.compile(r"\d(?<![\w.].)(?:[ -]?\d){12,18}(?!\w)")
_SSN = re.compile(r"\d(?<![\w-].)\d\d([- ])\d{2}\1\d{4}(?![\w-])")
_REACH = 64
"""Characters of a number that can stand before or after seven of its digits."""
_DIGITS = re.compile(r"\d(?:\D{0,3}\d){6}")
_LOWER = {ord(char): char.lower() for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


Look = Literal["secrets", "assigned", "emails", "digits"]
"""What a text is searched for: tokens by their shape, values that a name gives away, addresses,
and accounts, cards and telephone numbers."""
ALL: frozenset[Look] = frozenset(get_args(Look))


def scan_text(text: str, looks: frozenset[Look] = ALL) -> list[Span]:
    """Every secret and every piece of personal data in a text, in order, without overlaps.

    Args:
        looks: what to search for; the rest is known not to be there.
    """
    found: list[Span] = []
    spans = [span for look, finder in _FINDERS if look in looks for span in finder(text)]
    if "digits" in looks:
        places = list(_near_digits(text))
        for number in (_ibans, _cards, _ssns, _phones):
            spans += [span for place in places for span in number(text, *place)]
    for span in spans:
        if not any(span.start < other.end and other.start < span.end for other in found):
            found.append(span)
    found.sort()
    return found


def _secrets(text: str) -> Iterator[Span]:
    for kind, hint, pattern in _SECRETS:
        if hint in text:
            group = pattern.groups
            for match in pattern.finditer(text):
                yield Span(match.start(group), match.end(group), kind)


def _assigned(text: str) -> Iterator[Span]:
    lower = text.lower()
    if len(lower) != len(text):  # a few capitals become two characters; places must stay
        lower = text.translate(_LOWER)
    for name, before in _NAMES:
        at = lower.find(name)
        while at >= 0:
            end = at + len(name)
            value = _ASSIGNED.match(text, end)
            if value and not (text[end] == "_" or text[end].isalnum()):
                known = before is None or before.search(text, max(0, at - 8), at)
                if known and _looks_secret(value[1], value[0]):
                    yield Span(value.start(1), value.end(1), "password")
            at = lower.find(name, end)


def _looks_secret(value: str, whole: str) -> bool:
    """Prose says "password is required": a value needs a digit or sign, or an = or : before it."""
    mixed = any(not char.isalpha() for char in value.rstrip(".!?)"))
    if not mixed:
        return False
    return len(value) >= 6 or "=" in whole or ":" in whole


def _emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Span(match.start(), match.end(), "email")


def _near_digits(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers can stand: around seven digits close together, ending with a word."""
    start = end = 0
    for match in _DIGITS.finditer(text):
        if match.start() - _REACH > end:
            if end:
                yield start, end
            start = max(0, match.start() - _REACH)
        end = match.end() + _REACH
        while end < len(text) and (text[end - 1].isalnum() and text[end].isalnum()):
            end += 1
    if end:
        yield start, min(end, len(text))


def _ibans(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _IBAN.finditer(text, start, end):
        first = match.start() - 2
        length = iban_length(text[first : first + 2])
        last, seen = first, 0
        while last < match.end() and seen < length:
            seen += text[last].isalnum()
            last += 1
        if length and seen == length and iban_ok(text[first:last]):
            yield Span(first, last, "iban")


def _checked(
    pattern: re.Pattern[str], kind: str, accept: Callable[[str], bool], text: str, *place: int
) -> Iterator[Span]:
    for match in pattern.finditer(text, *place):
        if accept(match[0]):
            yield Span(match.start(), match.end(), kind)


def _cards(text: str, start: int, end: int) -> Iterator[Span]:
    return _checked(_CARD, "card", card_ok, text, start, end)


def _ssns(text: str, start: int, end: int) -> Iterator[Span]:
    return _checked(_SSN, "ssn", ssn_ok, text, start, end)


def _phones(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _NUMBER.finditer(text, start, end):
        if phone_ok(match[0], text[max(0, match.start() - 24) : match.start()]):
            yield Span(match.start(), match.end(), "phone")


_FINDERS: tuple[tuple[Look, Callable[[str], Iterator[Span]]], ...] = (
    ("secrets", _secrets), ("assigned", _assigned), ("emails", _emails),
)  # fmt: skip
