"""Examples in batches: texts side by side as bytes, so that numpy can look at all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ftbridge.dataset.quality.view import View, view
from ftbridge.dataset.read import Numbered
from ftbridge.dataset.types import Example

BATCH_BYTES = 1 << 18
"""Large enough that a call into numpy costs little per example, small enough for the caches."""

ROW_BYTES = 1 << 20
"""A single example is compared by its first MB."""


@dataclass
class Batch:
    """Some examples: line numbers, views, and ``rows``, the bytes of each one's own words.

    ``rows`` leave the system text out: a long system text that all examples share would make
    any two of them look alike. ``extras`` are the system texts, with the example each belongs to.
    """

    lines: list[int] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)
    extras: list[bytes] = field(default_factory=list)
    extra_rows: list[int] = field(default_factory=list)
    size: int = 0
    characters: int = 0

    def add(self, item: Numbered) -> None:
        """Take one more example in."""
        seen = view(item.example)
        system, prompt, answer, rejected, _, _ = seen
        row = f"{prompt}\n{answer}\n{rejected}\n" if rejected else f"{prompt}\n{answer}\n"
        if system:
            self.extras.append(f"{system}\n".encode())
            self.extra_rows.append(len(self.rows))
        words = row.encode()
        self.lines.append(item.line)
        self.examples.append(item.example)
        self.views.append(seen)
        self.rows.append(words)
        self.size += len(words)
        self.characters += len(system) + len(prompt) + len(answer)


def batches(items: Iterable[Numbered]) -> Iterator[Batch]:
    """The examples of a file in batches of about ``BATCH_BYTES``."""
    batch = Batch()
    for item in items:
        batch.add(item)
        if batch.size >= BATCH_BYTES:
            yield batch
            batch = Batch()
    if batch.lines:
        yield batch
