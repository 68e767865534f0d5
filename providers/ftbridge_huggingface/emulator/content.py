"""Content by its hash, in folders: the same ``hf_xet`` that talks to the vendor's store.

``hf_xet`` takes ``local://FOLDER`` for the address of a content store (seen in 1.8.0, not
documented). It locks such a folder while a transfer lasts, so each transfer is lent a folder of its
own: one to write into, whose copy is read when the file is added to a bucket, or one to read from.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KEPT = 32
"""Folders to write into that are remembered: what is committed to one is added at once."""
Mark = tuple[str, int, int]


class Content:
    """Content stores for transfers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lent: list[Path] = []
        self._hashes: dict[Mark, str] = {}
        self._count = 0
        self._lock = threading.RLock()
        self._session: Any = None

    def to_write(self) -> str:
        """The address of an empty store."""
        with self._lock:
            self._lent.append(self._new("write"))
            while len(self._lent) > KEPT:
                shutil.rmtree(self._lent.pop(0), ignore_errors=True)
            return _address(self._lent[-1])

    def to_read(self, paths: Sequence[Path]) -> str:
        """The address of a store that holds these files."""
        with self._lock:
            folder = self._new("read")
            self._put(folder, paths)
            return _address(folder)

    def bring(self, xet_hash: str, target: Path) -> None:
        """Write what a client has put into a store under this hash, whole or not at all.

        Raises:
            KeyError: no client has.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.aside")
        with self._lock:
            for folder in reversed(self._lent):
                if self._take(folder, xet_hash, aside):
                    aside.replace(target)
                    return
        raise KeyError(xet_hash)

    def hashes(self, paths: Sequence[Path]) -> list[str]:
        """The hashes of files."""
        import hf_xet

        marks = [_mark(path) for path in paths]
        with self._lock:
            new = [mark for mark in marks if mark not in self._hashes]
            for mark, found in zip(new, hf_xet.hash_files([mark[0] for mark in new]), strict=True):
                self._hashes[mark] = str(found.hash)
            return [self._hashes[mark] for mark in marks]

    def _put(self, folder: Path, paths: Sequence[Path]) -> None:
        import hf_xet

        with self._connected().new_upload_commit(endpoint=_address(folder)) as commit:
            for path in paths:
                commit.start_upload_file(str(path), sha256=hf_xet.SKIP_SHA256)

    def _take(self, folder: Path, xet_hash: str, target: Path) -> bool:
        """Whether the store of a client held it; a copy is read, since the client may be there."""
        import hf_xet

        copied = self._new("copy")
        shutil.copytree(folder, copied)
        try:
            with self._connected().new_file_download_group(endpoint=_address(copied)) as group:
                group.start_download_file(hf_xet.XetFileInfo(xet_hash, None), str(target))
        except (hf_xet.XetObjectNotFoundError, RuntimeError, OSError):
            return False
        finally:
            shutil.rmtree(copied, ignore_errors=True)
        return True

    def _new(self, kind: str) -> Path:
        self._count += 1
        return self._folder / kind / str(self._count)

    def _connected(self) -> Any:
        import hf_xet

        self._session = self._session or hf_xet.XetSession()
        return self._session


def _address(folder: Path) -> str:
    return f"local://{folder}"


def _mark(path: Path) -> Mark:
    stat = path.stat()
    return str(path), stat.st_size, stat.st_mtime_ns
