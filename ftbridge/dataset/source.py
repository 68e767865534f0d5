"""Where data comes from: a file, a compressed file, standard input, or an object store.

Plain local files need nothing but the standard library; what the others need is imported when
they are met, and its absence is a ``NotInstalled`` with the pip line.
"""

from __future__ import annotations

import atexit
import gzip
import importlib
import io
import os
import shutil
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

from ftbridge.errors import DataError, NotInstalled

GZIP_MAGIC, ZSTD_MAGIC, PARQUET_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
BOM = b"\xef\xbb\xbf"


def needs(module: str, extra: str, what: str) -> Any:
    """Import a module of an extra, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise NotInstalled(
            f"{what} needs {module.partition('.')[0]}, which is not installed",
            hint=f"pip install 'ftbridge[{extra}]'",
        ) from None


class Source:
    """One place that data is read from, as often as needed.

    Args:
        location: a path, ``-`` for standard input, or a URL that fsspec opens (``s3://``,
            ``gs://``, ``memory://``).
        span: the bytes of a plain local file to read, start and end; all if left out.
    """

    def __init__(self, location: str | Path, span: tuple[int, int] | None = None) -> None:
        self.remote = "://" in str(location)
        self.location = str(location)
        self.path = _spooled() if self.location == "-" else Path(location)
        self._span = span

    @property
    def suffix(self) -> str:
        """The lower-case suffix of the name without that of its compression."""
        name = self.location.lower()
        for packed in (".gz", ".zst"):
            name = name.removesuffix(packed)
        return Path(name).suffix

    @cached_property
    def _filesystem(self) -> tuple[Any, str]:
        fsspec = needs("fsspec", "remote", f"{self.location.partition(':')[0]}://")
        try:
            found = fsspec.core.url_to_fs(self.location)
        except ImportError as error:
            raise NotInstalled(str(error), hint="pip install 'ftbridge[remote]'") from None
        except ValueError as error:
            raise DataError(f"{self.location}: {error}", where=self.location) from None
        return cast(tuple[Any, str], found)

    @property
    def size(self) -> int:
        """Stored size in bytes, compressed where the file is."""
        self.require()
        if self.remote:
            filesystem, path = self._filesystem
            return int(filesystem.size(path))
        return self.path.stat().st_size

    @property
    def packed(self) -> bool:
        """Whether the file is compressed."""
        with self.open_raw() as stream:
            return stream.read(4).startswith((GZIP_MAGIC, ZSTD_MAGIC))

    def require(self) -> None:
        """Raise DataError for a missing file, a folder, an empty or an unreadable file."""
        where = self.location
        try:
            with self.open_raw() as stream:
                empty = not stream.read(1)
        except FileNotFoundError:
            raise DataError(
                f"{where}: no such file", hint="check the path", where=where, code="missing_file"
            ) from None
        except IsADirectoryError:
            raise DataError(
                f"{where}: is a folder, not a file", hint="name one JSONL file", where=where
            ) from None
        except OSError as error:
            raise DataError(
                f"{where}: cannot be read: {error.strerror or type(error).__name__}",
                hint="check its permissions",
                where=where,
            ) from None
        if empty:
            raise DataError(
                f"{where}:1: the file is empty; write one JSON example a line",
                hint="see docs/dataset-format.md",
                where=f"{where}:1",
            )

    def open_raw(self, buffered: bool = True) -> BinaryIO:
        """The stored bytes; unbuffered for who reads in blocks and saves a copy."""
        if self._span is not None:
            span = _Span(self.path, *self._span)
            return cast(BinaryIO, io.BufferedReader(span) if buffered else span)
        if self.remote:
            filesystem, path = self._filesystem
            return cast(BinaryIO, filesystem.open(path, "rb"))
        return self.path.open("rb", buffering=-1 if buffered else 0)

    def open(self, buffered: bool = True) -> BinaryIO:
        """The content, decompressed by what its first bytes say, a byte-order mark taken off."""
        stream = self.open_raw(buffered)
        magic = stream.read(4)
        stream.seek(0)
        if magic.startswith(GZIP_MAGIC):
            return self._unpacked(gzip.GzipFile(fileobj=stream), stream)
        if magic == ZSTD_MAGIC:
            try:
                zstandard = needs("zstandard", "zstd", "a .zst file")
            except NotInstalled:
                stream.close()
                raise
            reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
            return self._unpacked(reader, stream)
        if magic.startswith(BOM):
            stream.read(3)
        return stream

    def _unpacked(self, reader: Any, stream: BinaryIO) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Unpacked(reader, stream, self.location)))

    def head(self, size: int = 4096) -> bytes:
        """The first bytes of the content."""
        with self.open() as stream:
            return stream.read(size)


class _Unpacked(io.RawIOBase):
    """A decompressor and the stored file below it; a broken archive is a DataError."""

    def __init__(self, reader: Any, stream: BinaryIO, where: str) -> None:
        self._reader, self._stream, self._where = reader, stream, where

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer."""
        try:
            return int(self._reader.readinto(buffer))
        except Exception as error:  # each packing library has exceptions of its own
            raise DataError(
                f"{self._where}: the archive is broken or cut off ({type(error).__name__})",
                hint="pack it again",
                where=self._where,
            ) from None

    def close(self) -> None:
        """Close both."""
        self._reader.close()
        self._stream.close()
        super().close()


class _Span(io.RawIOBase):
    """The bytes of a file from ``start`` to ``end``."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._stream = path.open("rb", buffering=0)
        self._start, self._end = start, end
        self._stream.seek(start)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes; places are counted from the start of the span."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        base = {0: self._start, 1: self._stream.tell(), 2: self._end}[whence]
        return self._stream.seek(base + offset) - self._start

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer, not beyond the end."""
        rest = self._end - self._stream.tell()
        return self._stream.readinto(memoryview(buffer)[: max(0, rest)])

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()


def _spooled() -> Path:
    """Standard input in a private file, since it is read more than once."""
    handle, name = tempfile.mkstemp(prefix="ftbridge-stdin-")
    path = Path(name)
    atexit.register(path.unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as stream:
        shutil.copyfileobj(sys.stdin.buffer, stream)
    return path
