"""Which texts of a batch are worth a full scan: a quick look at all bytes at once.

What we look for always shows one of: an ``@``, seven digits close together, a run of nineteen
token characters (any private key has them), or a name such as password with a value after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_DIGITS_NEEDED = 7
_NAMES = (b"pass", b"pwd", b"secret", b"key", b"token")
_GIVES = re.compile(rb"(?:word|wd|phrase)?(?:\\?[\"'])?(?:\s|[\x80-\xff])*(?:[:=]|is\b)").match
"""What follows such a name where it gives a value; white space beyond ASCII is taken for such."""

_TOKEN = bytes(
    byte < 128 and (chr(byte).isalnum() or chr(byte) in "+/=_-.:~") for byte in range(256)
)
_BETWEEN = np.zeros(256, bool)
_BETWEEN[[0xC2, 0xA0, *b" -().+/"]] = True
_LETTER = np.zeros(256, bool)
_LETTER[[byte for byte in range(128) if chr(byte).isalpha()]] = True


def suspects(texts: list[bytes]) -> list[int]:
    """Indices of the texts that may hold something private, in order."""
    blob = b"".join(texts)
    ends = np.cumsum([len(text) for text in texts])
    places = [_runs(blob), _digit_groups(blob), _all(blob, b"@"), *_assignments(blob.lower())]
    at = np.unique(np.searchsorted(ends, np.concatenate(places), side="right"))
    return [int(index) for index in at]


def _runs(blob: bytes) -> NDArray[np.int64]:
    """Where 19 token characters or more stand in a row: such a run fills four aligned groups of
    four bytes, and comparing groups is far cheaper than looking at each byte."""
    size = len(blob) & ~3
    full = np.frombuffer(blob.translate(_TOKEN), "<u4", size // 4) == 0x01010101
    four = full[:-3] & full[1:-2] & full[2:-1] & full[3:]
    return np.flatnonzero(four) * 4


def _digit_groups(blob: bytes) -> NDArray[np.int64]:
    """Where seven digits follow each other with at most three separating signs between two."""
    text = np.frombuffer(blob, np.uint8)
    is_digit = text - np.uint8(ord("0")) < 10  # smaller bytes wrap round to large ones
    digits = np.flatnonzero(is_digit)
    if len(digits) < _DIGITS_NEEDED:
        return digits[:0]
    gaps = np.diff(digits)
    apart = gaps > 4
    for wide in (2, 3, 4):
        open_ = np.flatnonzero(gaps == wide)
        for step in range(1, wide):
            apart[open_] |= ~_BETWEEN[text[digits[open_] + step]]
    begins = np.concatenate([[0], np.flatnonzero(apart) + 1])
    lengths = np.diff(np.append(begins, len(digits)))
    heads: NDArray[np.int64] = digits[begins[lengths >= _DIGITS_NEEDED]]
    free: NDArray[np.int64] = heads[~_inside_word(text, is_digit, heads)]
    return free


def _inside_word(
    text: NDArray[np.uint8], is_digit: NDArray[np.bool_], heads: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether a number goes on a word, as in hex; an IBAN's two letters are no such word."""
    one, two, three = (np.maximum(heads - back, 0) for back in (1, 2, 3))
    letters = _LETTER[text[one]] & (heads > 0)
    return letters & (~_LETTER[text[two]] | _LETTER[text[three]] | is_digit[three])


def _assignments(lower: bytes) -> Iterator[NDArray[np.int64]]:
    for name in _NAMES:
        found = []
        at = lower.find(name)
        while at >= 0:
            end = at + len(name)
            if _GIVES(lower, end):
                found.append(at)
            at = lower.find(name, end)
        yield np.array(found, np.int64)


def _all(blob: bytes, mark: bytes) -> NDArray[np.int64]:
    found = []
    at = blob.find(mark)
    while at >= 0:
        found.append(at)
        at = blob.find(mark, at + len(mark))
    return np.array(found, np.int64)
