"""Do the inputs of a data set cover what really comes in, and are they as diverse?

Inputs (all but system text) are vectors of words: weight of a word = ``(1 + ln count) * idf``,
``idf = ln((1 + n) / (1 + rows with it)) + 1`` over the traffic sample, each vector of length 1,
words hashed into :data:`SLOTS` places. The likeness of two inputs is the cosine.

- coverage: the share of traffic inputs whose nearest training input is at least as like as the
  traffic's own inputs mostly are: the 10th percentile of each one's nearest other traffic input,
  but at least :data:`LEAST`. A training set from the same source so covers about nine tenths.
- diversity: ``1 - mean cosine of two different inputs``, exact from the sum ``s`` of the vectors:
  ``1 - (|s|^2 - n) / (n (n - 1))``. 0: all inputs are alike; 1: no two share a word.

The training file is read once, a batch at a time; of the traffic :data:`SAMPLE` inputs are kept.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ftbridge.dataset.quality.finding import SHOWN_LINES
from ftbridge.dataset.quality.view import view
from ftbridge.dataset.read import Numbered
from ftbridge.evaluate.statistics import wilson

SLOTS = 4096
SAMPLE = 2_000
LEAST = 0.2
_BATCH = 512
_WORD = re.compile(r"\w+")
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Coverage:
    """How training inputs stand to real ones; see the module for the formulas.

    ``traffic`` counts the sampled inputs, ``threshold`` is the cosine that counts as near,
    ``lines`` the first traffic lines that nothing in the training file is near to. ``ci`` is
    the 95 % interval of ``covered``.
    """

    traffic: int
    examples: int
    covered: float
    ci: tuple[float, float]
    threshold: float
    nearest: float
    diversity: float
    traffic_diversity: float
    uncovered: int
    lines: list[int] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        if self.ci[1] < 0.8:
            return "much of the traffic is like nothing in the data: collect examples like it"
        if self.diversity < 0.8 * self.traffic_diversity:
            return "the data's inputs are more alike than the traffic's: collect more kinds"
        return "the data's inputs cover the traffic"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return vars(self) | {"ci": list(self.ci), "verdict": self.verdict}


def coverage(training: Iterable[Numbered], traffic: Iterable[Numbered]) -> Coverage:
    """Compare the inputs of two files; the traffic's answers, if any, are not looked at."""
    sample = _sampled(traffic)
    counts = [_words(item) for item in sample]
    idf = _idf(counts)
    real = _vectors(counts, idf)
    nearest = np.zeros(len(sample), np.float32)
    total, n = np.zeros(SLOTS), 0
    for batch in _batches(training):
        vectors = _vectors([_words(item) for item in batch], idf)
        nearest = np.maximum(nearest, (real @ vectors.T).max(axis=1))
        total += vectors.sum(axis=0, dtype=float)
        n += len(batch)
    threshold = _threshold(real)
    near = nearest >= threshold - 1e-6
    lines = sorted(item.line for item, covered in zip(sample, near, strict=True) if not covered)
    return Coverage(
        traffic=len(sample),
        examples=n,
        covered=float(near.mean()),
        ci=wilson(int(near.sum()), len(sample)),
        threshold=round(threshold, 4),
        nearest=round(float(nearest.mean()), 4),
        diversity=round(_diversity(total, n), 4),
        traffic_diversity=round(_diversity(real.sum(axis=0, dtype=float), len(sample)), 4),
        uncovered=len(lines),
        lines=lines[:SHOWN_LINES],
    )


def _sampled(items: Iterable[Numbered]) -> list[Numbered]:
    """Up to :data:`SAMPLE` of them, each with the same chance (reservoir), the same every time."""
    draw = random.Random(0)  # noqa: S311 - a sample, no secret
    kept: list[Numbered] = []
    for number, item in enumerate(items):
        if len(kept) < SAMPLE:
            kept.append(item)
        elif (place := draw.randrange(number + 1)) < SAMPLE:
            kept[place] = item
    return kept


def _batches(items: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    stream = iter(items)
    while batch := list(islice(stream, _BATCH)):
        yield batch


def _words(item: Numbered) -> Counter[int]:
    seen = view(item.example)
    text = seen.prompt or seen.answer  # a plain text has no prompt: it is the input itself
    return Counter(zlib.crc32(word.encode()) % SLOTS for word in _WORD.findall(text.casefold()))


def _idf(counts: list[Counter[int]]) -> Vectors:
    rows = np.zeros(SLOTS)
    for each in counts:
        rows[list(each)] += 1
    return (np.log((1 + len(counts)) / (1 + rows)) + 1).astype(np.float32)


def _vectors(counts: list[Counter[int]], idf: Vectors) -> Vectors:
    found = np.zeros((len(counts), SLOTS), np.float32)
    for row, each in enumerate(counts):
        places = list(each)
        found[row, places] = 1 + np.log(np.fromiter(each.values(), float, len(places)))
    found *= idf
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    found /= np.where(lengths > 0, lengths, 1)
    return found


def _threshold(real: Vectors) -> float:
    if len(real) < 2:
        return LEAST
    nearest = []
    for start in range(0, len(real), _BATCH):
        likeness = real[start : start + _BATCH] @ real.T
        own = np.arange(len(likeness))
        likeness[own, start + own] = -1
        nearest.append(likeness.max(axis=1))
    return max(LEAST, float(np.percentile(np.concatenate(nearest), 10)))


def _diversity(total: NDArray[np.float64], n: int) -> float:
    if n < 2:
        return 0.0
    return float(np.clip(1 - (total @ total - n) / (n * (n - 1)), 0.0, 1.0))
