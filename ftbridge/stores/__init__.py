"""Files at a platform, by name: what a compute provider stages into and collects from."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol

__all__ = ["Store"]


class Store(Protocol):
    """A place for files below one root at a platform. Names are relative, with ``/``.

    Every method raises a FtbridgeError (NetworkError where the outcome is not known).
    """

    def address(self, name: str) -> str:
        """The platform's own address of a file or folder, as ``s3://bucket/root/name``."""
        ...

    def write(self, name: str, content: BinaryIO) -> None:
        """Put a file there, whole or not at all, over an older one."""
        ...

    def read(self, name: str) -> bytes | None:
        """A small file's content; None where it is not there."""
        ...

    def size(self, name: str) -> int | None:
        """A file's bytes; None where it is not there."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names of all files below a folder, relative to it, sorted."""
        ...

    def fetch(self, name: str, target: Path) -> None:
        """Bring a file of any size here."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file; one that is gone already is what was wanted."""
        ...
