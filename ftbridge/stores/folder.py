"""A folder as a store: a share that the machines mount, or a disk that they have in common."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO

from ftbridge.errors import OperationFailed, UsageError
from ftbridge.files import atomic_write


class FolderStore:
    """Files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def address(self, name: str) -> str:
        """The file's path."""
        return str(self._path(name))

    def write(self, name: str, content: BinaryIO) -> None:
        """Put a file there."""
        with atomic_write(self._path(name)) as target:
            shutil.copyfileobj(content, target)

    def read(self, name: str) -> bytes | None:
        """A file's content; None where it is not there."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int | None:
        """A file's bytes; None where it is not there."""
        path = self._path(name)
        return path.stat().st_size if path.is_file() else None

    def names(self, folder: str) -> list[str]:
        """The names of all files below a folder."""
        root = self._path(folder)
        inside = (path for path in root.rglob("*") if path.is_file())
        return sorted(path.relative_to(root).as_posix() for path in inside)

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file here."""
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._path(name), target)

    def remove(self, name: str) -> None:
        """Delete a file.

        Raises:
            OperationFailed: the whole folder cannot be seen (a share that is not mounted).
        """
        if not self.root.is_dir():
            raise OperationFailed(f"{self.root} is not there", hint="mount it, and try again")
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise UsageError(f"{name} leads out of {self.root}", where="store")
        return path
