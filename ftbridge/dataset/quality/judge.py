"""All judgements over one file, and over its validation file."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ftbridge.dataset.quality.answers import Answers
from ftbridge.dataset.quality.batch import batches
from ftbridge.dataset.quality.duplicates import duplicates, leaks
from ftbridge.dataset.quality.finding import Finding
from ftbridge.dataset.quality.form import Form
from ftbridge.dataset.quality.language import Languages
from ftbridge.dataset.quality.private import Private
from ftbridge.dataset.quality.similar import Index
from ftbridge.dataset.quality.system import Systems
from ftbridge.dataset.quality.volume import volume
from ftbridge.dataset.read import Numbered
from ftbridge.dataset.types import Kind


def judge(
    items: Iterable[Numbered], kind: Kind, validation: Iterable[Numbered] | None = None
) -> tuple[list[Finding], int]:
    """Everything odd in the examples and how many characters they have.

    With a validation file, also what leaks into it.
    """
    _keep_memory()
    index, private = Index(), Private()
    judges: list[Answers | Form | Languages | Systems] = [Answers(), Languages()]
    if kind in (Kind.CHAT, Kind.PREFERENCE):
        judges += [Form(), Systems()]
    characters = 0
    for batch in batches(items):
        index.add(batch)
        characters += batch.characters
        private.look(batch)
        for judgement in judges:
            judgement.look(batch)
    size = len(index)
    for batch in batches(validation or ()):
        index.add(batch)
    near = index.near()
    found = [*volume(size), *duplicates(index, near, size)]
    if validation is not None:
        found += leaks(index, near, size)
    for judgement in judges:
        found += judgement.findings()
    return [*found, *private.findings()], characters


def _keep_memory() -> None:
    """Let the memory of one batch serve the next.

    glibc hands freed memory back to the system until a large block has been freed once; without
    this each batch is paged in anew (315,000 page faults and 0.6 s a 100 MB, against 8,000).
    """
    np.empty(1 << 24, np.uint8)
