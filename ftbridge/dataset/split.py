"""Splitting a file into training and validation rows, the same way every time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec

from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.types import Example, text_of
from ftbridge.errors import DataError, UsageError
from ftbridge.files import atomic_write


class Split(NamedTuple):
    """The two files and how many rows each holds."""

    train: Path
    validation: Path
    train_rows: int
    validation_rows: int


def split(dataset: Dataset, share: float, seed: int, out: Path) -> Split:
    """Write ``train.jsonl`` and ``validation.jsonl`` into ``out``.

    A row's side is a pure function of its prompt and the seed, so rows that ask the same thing
    stay on one side and a grown file keeps the side of its old rows.

    Args:
        share: the fraction that goes to validation, 0 < share < 1.

    Raises:
        UsageError: where the share is out of range.
        DataError: where a line is bad, or one side would be empty.
    """
    if not 0 < share < 1:
        raise UsageError(f"a validation share of {share} is not between 0 and 1", hint="try 0.1")
    train, validation = out / "train.jsonl", out / "validation.jsonl"
    counts = [0, 0]
    with atomic_write(train) as left, atomic_write(validation) as right:
        for item in dataset.examples():
            side = _fraction(item.example, seed) < share
            (right if side else left).write(msgspec.json.encode(item.example) + b"\n")
            counts[side] += 1
    if not all(counts):
        raise DataError(
            f"{dataset.path}: {sum(counts)} rows cannot be split at {share}: one side is empty",
            hint="use more rows, another share, or name a validation file",
        )
    return Split(train, validation, *counts)


def _fraction(example: Example, seed: int) -> float:
    """A number in [0, 1) that depends on the user's turns and the seed alone."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8)
    for message in example.messages:
        if message.role == "user":
            digest.update(text_of(message).strip().casefold().encode())
    return int.from_bytes(digest.digest()) / 2**64
