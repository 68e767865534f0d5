"""Blobs as files: a container is a folder, so that a machine can mount any path of it."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .errors import BlobError


class Disk:
    """A storage account's containers below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._aside = root / ".aside"
        self._aside.mkdir(parents=True)
        self._lock = threading.Lock()
        self._blocks: dict[tuple[str, str], dict[str, bytes]] = {}

    def make(self, container: str) -> bool:
        """Make a container; False where it is there already."""
        folder = self._root / container
        if folder.exists():
            return False
        folder.mkdir()
        return True

    def there(self, container: str) -> bool:
        """Whether there is such a container."""
        return container != ".aside" and (self._root / container).is_dir()

    def path(self, container: str, name: str) -> Path:
        """Where a blob or a folder of blobs lies. Raises BlobError for what is no such name."""
        if not self.there(container):
            raise BlobError(404, "ContainerNotFound", "The specified container does not exist.")
        if name and (".." in PurePosixPath(name).parts or name.startswith("/") or "//" in name):
            raise BlobError(400, "InvalidUri", "The requested URI does not represent any resource.")
        return self._root / container / name

    def write(self, container: str, name: str, content: bytes) -> None:
        """Put a blob there whole."""
        target = self.path(container, name)
        handle, aside = tempfile.mkstemp(dir=self._aside)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(aside).replace(target)

    def stage(self, container: str, name: str, block: str, content: bytes) -> None:
        """Keep a block until its blob is committed."""
        self.path(container, name)
        with self._lock:
            self._blocks.setdefault((container, name), {})[block] = content

    def commit(self, container: str, name: str, blocks: list[str]) -> bool:
        """Make a blob of staged blocks; False where one is not there."""
        with self._lock:
            staged = self._blocks.get((container, name), {})
            if not set(blocks) <= set(staged):
                return False
            self._blocks.pop((container, name), None)
        self.write(container, name, b"".join(staged[block] for block in blocks))
        return True

    def blobs(self, container: str, prefix: str) -> Iterator[tuple[str, Path]]:
        """All blobs whose name begins with a prefix, in the order of their names."""
        root = self.path(container, "")
        found = ((path.relative_to(root).as_posix(), path) for path in root.rglob("*"))
        for name, path in sorted(found):
            if name.startswith(prefix) and path.is_file():
                yield name, path

    def remove(self, container: str, name: str) -> bool:
        """Delete a blob; False where it is not there."""
        path = self.path(container, name)
        if not path.is_file():
            return False
        path.unlink()
        return True

    def copy_to(self, container: str, name: str, target: Path) -> bool:
        """Copy a blob, or all below a path, to a machine's disk; False where nothing is there."""
        source = self.path(container, name)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            return True
        if not source.is_dir():
            return False
        shutil.copytree(source, target, dirs_exist_ok=True)
        return any(path.is_file() for path in target.rglob("*"))
