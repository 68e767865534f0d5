"""Which rows must stay on one side of a split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ftbridge.dataset.quality.batch import batches
from ftbridge.dataset.quality.form import Form
from ftbridge.dataset.quality.similar import Index, clusters, same
from ftbridge.dataset.quality.view import group_of
from ftbridge.dataset.read import Numbered


class Families(NamedTuple):
    """Rows by family. A family is named by the index of one of its rows.

    ``family`` is that of each row in the order of the file; ``sizes`` counts a family's rows,
    ``keys`` is a hash that depends on its rows' content alone, and ``labels`` its answer where
    the answers are labels (else empty).
    """

    family: list[int]
    sizes: dict[int, int]
    keys: dict[int, bytes]
    labels: dict[int, str]


def families(items: Iterable[Numbered]) -> Families:
    """Rows that are equal, nearly equal, ask the same or share ``metadata.group``, together."""
    index, form = Index(), Form()
    groups: list[int] = []
    labels: list[bytes] = []
    for batch in batches(items):
        index.add(batch)
        form.look(batch)
        for example, seen in zip(batch.examples, batch.views, strict=True):
            group = group_of(example)
            # Rows without a group get numbers of their own, which no hash reaches (odd ones).
            groups.append(2 * len(groups) + 1 if group is None else _number(group) & ~1)
            labels.append(_digest(seen.answer.strip()))
    keys = np.array(groups, np.uint64)
    pairs = [index.near(), same(index.content), same(index.prompts), same(keys)]
    family = clusters(len(index), np.concatenate(pairs))
    return _summary(family.tolist(), index, labels if form.is_label_task else [])


def _summary(family: list[int], index: Index, labels: list[bytes]) -> Families:
    sizes: dict[int, int] = {}
    smallest: dict[int, tuple[int, str]] = {}
    for row, (name, content) in enumerate(zip(family, index.content.tolist(), strict=True)):
        sizes[name] = sizes.get(name, 0) + 1
        label = labels[row].hex() if labels else ""
        # The row with the smallest hash speaks for its family, wherever it stands in the file.
        smallest[name] = min(smallest.get(name, (content, label)), (content, label))
    keys = {name: content.to_bytes(8) for name, (content, _) in smallest.items()}
    return Families(family, sizes, keys, {name: label for name, (_, label) in smallest.items()})


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def _number(text: str) -> int:
    return int.from_bytes(_digest(text))
