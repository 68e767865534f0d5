"""Counts of a file are kept by content, so that plan, submit and compare count it once."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import msgspec

from ftbridge.cost.tokens.counter import Counter
from ftbridge.cost.tokens.counts import Totals
from ftbridge.dataset import Dataset
from ftbridge.files import atomic_write, private_dir


class Kept:
    """The count of one file by one counter: ``HOME/counts/KEY.json``.

    Args:
        way: empty for an exact count.
    """

    def __init__(self, home: Path, dataset: Dataset, counter: Counter, way: str = "") -> None:
        self._home, self._dataset, self._counter, self._way = home, dataset, counter, way

    def find(self) -> Totals | None:
        """What was counted of this content; None where nothing was, or it cannot be read."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=Totals) if self._path else None
        except (OSError, msgspec.DecodeError):
            return None
        return kept

    def keep(self, totals: Totals) -> None:
        """Write it down. A home that cannot be written costs only a second count."""
        if self._path is None:
            return
        try:
            private_dir(self._home)
            with atomic_write(self._path, durable=False) as stream:
                stream.write(msgspec.json.encode(asdict(totals)))
        except OSError:
            return

    @cached_property
    def _path(self) -> Path | None:
        """None for data whose content its path does not tell (standard input, a mapping)."""
        if not self._dataset.plain:
            return None
        named = (self._dataset.sha256, self._counter.id, self._counter.name, self._way)
        key = hashlib.sha256("\n".join(("1", *named)).encode()).hexdigest()
        return self._home / "counts" / f"{key[:40]}.json"
