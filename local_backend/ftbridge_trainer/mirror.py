"""A run directory kept twice: on a machine that may vanish, and in a folder that outlives it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from .checkpoint import MANIFEST

KEPT = ("events.jsonl", "metrics.jsonl", "resolved.json")
FOLDERS = ("checkpoints", "adapter", "model")
LAST = ("result.json", "status.json")
"""Copied behind all that they speak of: who sees them may believe them."""


class Mirror:
    """Copies a run's files out as they change, and back on a new machine.

    ``out`` may be any mounted store (a bucket, a share, a volume): a file is written under
    another name and then renamed, a checkpoint's manifest behind its other files.
    """

    def __init__(self, run: Path, out: Path) -> None:
        self.run, self.out = run, out
        self._pushed: dict[Path, tuple[int, int]] = {}

    def restore(self) -> bool:
        """Bring back what an earlier machine has left; whether there was anything."""
        found = False
        for name in (*KEPT, *LAST):
            if (self.out / name).is_file():
                _copy(self.out / name, self.run / name)
                found = True
        for folder in FOLDERS:
            if (self.out / folder).is_dir():
                shutil.copytree(self.out / folder, self.run / folder, dirs_exist_ok=True)
        return found

    def push(self) -> None:
        """Copy what has changed since the last time, and remove checkpoints that have gone."""
        for path in self._changed():
            try:
                stat = path.stat()
                _copy(path, self.out / path.relative_to(self.run))
            except FileNotFoundError:  # pruned by the trainer while we looked
                continue
            self._pushed[path] = (stat.st_size, stat.st_mtime_ns)
        self._prune()

    def _changed(self) -> Iterator[Path]:
        for path in self._files():
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if self._pushed.get(path) != (stat.st_size, stat.st_mtime_ns):
                yield path

    def _files(self) -> list[Path]:
        files = [self.run / name for name in KEPT]
        for folder in FOLDERS:
            inside = [path for path in (self.run / folder).rglob("*") if path.is_file()]
            whole = [path for path in inside if not _hidden(path.relative_to(self.run))]
            files += sorted(whole, key=lambda path: (path.name == MANIFEST, path))
        files += [self.run / name for name in LAST]
        return [path for path in files if path.exists()]

    def _prune(self) -> None:
        for folder in (self.out / "checkpoints").glob("step-*"):
            if not (self.run / "checkpoints" / folder.name).exists():
                shutil.rmtree(folder, ignore_errors=True)


def _hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, aside)
    aside.replace(target)
