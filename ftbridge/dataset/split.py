"""Splitting a file into training and validation rows, the same way every time, leak-free."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.types import to_json
from ftbridge.errors import DataError, UsageError
from ftbridge.files import atomic_write
from ftbridge.policy.labels import carry

if TYPE_CHECKING:
    from ftbridge.dataset.quality.families import Families


class Split(NamedTuple):
    """The two files, how many rows each holds, and what was kept together."""

    train: Path
    validation: Path
    train_rows: int
    validation_rows: int
    families: int
    labels: int


def split(dataset: Dataset, share: float, seed: int, out: Path) -> Split:
    """Write ``train.jsonl`` and ``validation.jsonl`` into ``out``.

    Rows of one family stay on one side: equal and nearly equal rows, rows that ask the same, and
    rows of one ``metadata.group``. Where the answers are labels, each label gets its share. Which
    side a family takes is a pure function of the rows' content, the share and the seed; the order
    of the rows plays no part.

    Args:
        share: the fraction that goes to validation, 0 < share < 1.

    Raises:
        UsageError: where the share is out of range.
        DataError: where a line is bad, or one side would be empty.
    """
    if not 0 < share < 1:
        raise UsageError(f"a validation share of {share} is not between 0 and 1", hint="try 0.1")
    from ftbridge.dataset.quality.families import families

    found = families(dataset.examples())
    held_out = _held_out(found, share, seed)
    rows = len(found.family)
    held = sum(found.sizes[family] for family in held_out)
    if not 0 < held < rows:
        raise DataError(
            f"{dataset.path}: {rows} rows in {len(found.sizes)} families of alike ones cannot be "
            f"split at {share}: one side would be empty",
            hint="use more rows, another share, or name a validation file",
        )
    train, validation = out / "train.jsonl", out / "validation.jsonl"
    with atomic_write(train) as left, atomic_write(validation) as right:
        for item, family in zip(dataset.examples(), found.family, strict=True):
            (right if family in held_out else left).write(to_json(item.example) + b"\n")
        carry(dataset.source.location, (train, validation))
    labels = len(set(found.labels.values()) - {""})
    return Split(train, validation, rows - held, held, len(found.sizes), labels)


def _held_out(found: Families, share: float, seed: int) -> set[int]:
    """The families for validation: of each label, in the order of their hashes, its quota."""
    strata: dict[str, list[int]] = {}
    for family, label in found.labels.items():
        strata.setdefault(label, []).append(family)
    ranked = {
        label: sorted(members, key=lambda family: _rank(found.keys[family], seed))
        for label, members in strata.items()
    }
    totals = {label: sum(found.sizes[f] for f in members) for label, members in ranked.items()}
    chosen: set[int] = set()
    for label, quota in _quotas(totals, share).items():
        room = quota
        # A label's last family is never taken: training needs it more.
        for family in ranked[label][: len(ranked[label]) - 1 or 1]:
            size = found.sizes[family]
            if size <= room and (len(ranked[label]) > 1 or len(ranked) > 1):
                chosen.add(family)
                room -= size
    return chosen


def _quotas(totals: dict[str, int], share: float) -> dict[str, int]:
    """Whole numbers of rows a label that add up to the share of all: largest remainders first."""
    wanted = max(1, round(share * sum(totals.values())))
    quotas = {label: int(total * share) for label, total in totals.items()}
    rest = sorted(totals, key=lambda label: (quotas[label] - totals[label] * share, label))
    for label in rest[: max(0, wanted - sum(quotas.values()))]:
        quotas[label] += 1
    return quotas


def _rank(key: bytes, seed: int) -> bytes:
    return hashlib.blake2b(key, digest_size=8, key=str(seed).encode()[:64]).digest() + key
