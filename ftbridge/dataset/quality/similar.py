"""Which examples belong together: equal, nearly equal, or asking the same thing.

Everything is found by sorting fixed-size numbers, so memory is about 200 bytes an example and
the result does not depend on the order of the examples.
"""

from __future__ import annotations

import hashlib
from array import array

import numpy as np
from numpy.typing import NDArray

from ftbridge.dataset.quality.batch import Batch
from ftbridge.dataset.quality.sketch import BANDS, MIN_WORDS, PERMUTATIONS, Sketches, sketch

LIKENESS = 0.65
"""From this share of common shingles on, two texts are near-duplicates: with 3 % of the words
changed it is about 0.84 for long texts and down to 0.65 for short ones."""

Pairs = NDArray[np.int64]
_PIECE = 1 << 16
_FOLDED = 256
"""Up to this length, texts that differ in case and spacing alone are the same."""


class Index:
    """Hashes and sketches of all examples of one or two files, in the order they were added."""

    def __init__(self) -> None:
        self.lines = array("Q")
        self._content = array("q")
        self._prompts = array("q")
        self._answers = array("q")
        self._parts: list[Sketches] = []

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, batch: Batch) -> None:
        """Take a batch in."""
        self.lines.extend(batch.lines)
        tails = [b""] * len(batch.rows)
        for row, extra in zip(batch.extra_rows, batch.extras, strict=True):
            tails[row] = extra
        for tail, words, seen in zip(tails, batch.rows, batch.views, strict=True):
            prompt, answer = seen.prompt, seen.answer
            whole = int.from_bytes(hashlib.sha256(tail + words).digest()[:8], "little", signed=True)
            self._content.append(whole)
            # An example without a question is kept apart by its own hash.
            self._prompts.append(hash((tail, _folded(prompt))) if prompt else whole)
            self._answers.append(hash(_folded(answer)) if len(answer) <= _FOLDED else whole)
        self._parts.append(sketch(batch.rows))

    @property
    def content(self) -> NDArray[np.uint64]:
        """A hash of each example: system text, turns, tool calls; without tools and metadata.

        The same in every process, which the other two are not.
        """
        return np.array(self._content, np.int64).view(np.uint64)

    @property
    def prompts(self) -> NDArray[np.uint64]:
        """A hash of what each example asks, system text included."""
        return np.array(self._prompts, np.int64).view(np.uint64)

    @property
    def answers(self) -> NDArray[np.uint64]:
        """A hash of each final answer; of a long one with all that stands before it."""
        return np.array(self._answers, np.int64).view(np.uint64)

    def near(self) -> Pairs:
        """Pairs of near-duplicates that are not equal, each estimated at ``LIKENESS`` or more."""
        if not self._parts:
            return np.zeros((0, 2), np.int64)
        content = self.content
        words = np.concatenate([part.words for part in self._parts])
        minima = np.concatenate([part.minima for part in self._parts])
        bands = np.concatenate([part.bands for part in self._parts])
        # Of equal examples one stands for all; too short ones are not compared.
        _, first = np.unique(content, return_index=True)
        rows = first[words[first] >= MIN_WORDS].astype(np.int64)
        found = [_verified(minima, _candidates(bands[rows, band], rows)) for band in range(BANDS)]
        return np.unique(np.concatenate(found), axis=0)


def same(keys: NDArray[np.uint64]) -> Pairs:
    """Each example with the first one that has the same key."""
    order = np.argsort(keys, kind="stable")
    return _chained(keys[order], order.astype(np.int64))


def _candidates(keys: NDArray[np.uint32], rows: NDArray[np.int64]) -> Pairs:
    # Key and place in one number: sorted fast, and equal keys stay in the order of the rows.
    both = np.sort(keys.astype(np.uint64) << np.uint64(32) | np.arange(len(keys), dtype=np.uint64))
    ordered, members = both >> np.uint64(32), rows[(both & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    equal = ordered[1:] == ordered[:-1]
    neighbours = np.stack([members[:-1][equal], members[1:][equal]], axis=1)
    return np.concatenate([neighbours, _chained(ordered, members)])


def _chained(ordered: NDArray[np.generic], members: NDArray[np.int64]) -> Pairs:
    """In sorted keys: each member but the first of its run, paired with that first."""
    if not len(members):
        return np.zeros((0, 2), np.int64)
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    heads = members[np.flatnonzero(begins)][np.cumsum(begins) - 1]
    return np.stack([heads[~begins], members[~begins]], axis=1)


def _verified(minima: NDArray[np.uint8], pairs: Pairs) -> Pairs:
    """The pairs whose sketches agree enough; equal bytes by chance (1 in 256) are allowed for."""
    needed = LIKENESS + (1 - LIKENESS) / 256
    kept = []
    for start in range(0, len(pairs), _PIECE):
        piece = pairs[start : start + _PIECE]
        equal = (minima[piece[:, 0]] == minima[piece[:, 1]]).sum(axis=1)
        kept.append(piece[equal >= needed * PERMUTATIONS])
    return np.sort(np.concatenate(kept), axis=1) if kept else np.zeros((0, 2), np.int64)


def clusters(size: int, pairs: Pairs) -> NDArray[np.int64]:
    """For each of ``size`` examples, the smallest index that it is connected to."""
    parent = list(range(size))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in pairs.tolist():
        one, other = root(left), root(right)
        if one != other:
            parent[max(one, other)] = min(one, other)
    return np.array([root(node) for node in range(size)], np.int64)


def _folded(text: str) -> str:
    """A text as it is compared: a short one without differences of case and spacing."""
    return " ".join(text.casefold().split()) if len(text) <= _FOLDED else text
