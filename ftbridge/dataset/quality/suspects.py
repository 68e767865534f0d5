"""Which texts of a batch are worth a full scan: a quick look at all bytes at once.

What we look for always shows one of: an ``@``, seven digits close together, a run of nineteen
token characters (any private key has them), or a name such as password with a value after it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ftbridge.dataset.scan import Look

_DIGITS_NEEDED = 7
_ENDS = np.array(
    [int.from_bytes(end, "big") for end in (b"ord", b"swd", b"pwd", b"ase", b"ret", b"key", b"ken")]
)
"""How the names end (password, passwd, pwd, passphrase, secret, key, token), as numbers."""
_BACK = 7
"""Between a name and its sign stand at most a backslash, a quote and spaces (of two bytes)."""

_TOKEN = bytes(
    byte < 128 and (chr(byte).isalnum() or chr(byte) in "+/=_-.:~") for byte in range(256)
)
_BETWEEN = np.zeros(256, bool)
_BETWEEN[[0xC2, 0xA0, *b" -().+/"]] = True
_FILLS = np.zeros(256, bool)
_FILLS[[*b" \t\n\r\\\"'", *range(0x80, 256)]] = True
_LETTER = np.zeros(256, bool)
_LETTER[[byte for byte in range(128) if chr(byte).isalpha()]] = True


def suspects(texts: list[bytes]) -> dict[int, frozenset[Look]]:
    """The texts that may hold something private, by index and in order, and what to look for."""
    blob = b"".join(texts)
    ends = np.cumsum([len(text) for text in texts])
    bytes_ = np.frombuffer(blob, np.uint8)
    runs, at = _runs(blob), np.flatnonzero(bytes_ == ord("@"))
    places: dict[Look, tuple[NDArray[np.int64], ...]] = {
        "secrets": (runs, at),  # a password in a URL has an @
        "assigned": (_assignments(bytes_),),
        "emails": (at,),
        "digits": (runs, _digit_groups(blob)),  # a run of tokens can be an account number
    }
    found: dict[int, frozenset[Look]] = {}
    for look, where in places.items():
        for index in _of(ends, *where):
            found[index] = found.get(index, frozenset()) | {look}
    return dict(sorted(found.items()))


def _of(ends: NDArray[np.int64], *places: NDArray[np.int64]) -> set[int]:
    """Which texts the places lie in."""
    return set(np.searchsorted(ends, np.concatenate(places), side="right").tolist())


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


def _assignments(text: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where a name is followed by a sign that gives it a value: ``:``, ``=`` or the word is."""
    if len(text) < 4:
        return np.zeros(0, np.int64)
    signs = np.flatnonzero((text == ord(":")) | (text == ord("=")))
    verbs = np.flatnonzero(
        (text[:-2] <= ord(" ")) & (text[1:-1] == ord("i")) & (text[2:] == ord("s"))
    )
    at = np.concatenate([signs, verbs + 1])
    last = np.maximum(at - 1, 2)
    for _ in range(_BACK):
        last -= _FILLS[text[last]] & (last > 2)
    ends = np.zeros(len(last), np.int64)
    for back in (2, 1, 0):
        ends = ends << 8 | text[last - back] | 0x20
    return at[np.isin(ends, _ENDS)]
