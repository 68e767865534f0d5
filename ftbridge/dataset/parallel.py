"""One large local file on several cores: byte ranges that begin and end with whole lines."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import BinaryIO, TypeVar

from ftbridge.dataset.read import Reader

MIN_PART_BYTES = 4 * 1024 * 1024
"""Smaller parts are not worth a process."""

Job = TypeVar("Job")
Made = TypeVar("Made")


def in_parts(reader: Reader, workers: int, each: int = 1) -> list[Reader]:
    """The source as consecutive readers, ``each`` for a worker; one where it cannot be cut."""
    source = reader.source
    size = 0 if source.remote or source.packed else source.size
    count = min(workers * each, size // MIN_PART_BYTES)
    if workers < 2 or count < 2 or reader.container != "jsonl" or reader.mapping is not None:
        return [reader]
    cuts = [0]
    with source.path.open("rb") as stream:
        for index in range(1, count):
            stream.seek(size * index // count)
            stream.readline()
            cuts.append(stream.tell())
    spans = [(a, b) for a, b in zip(cuts, [*cuts[1:], size], strict=True) if a < b]
    return [reader.part(span) for span in spans]


def run(
    first: Callable[[], Made], work: Callable[[Job], Made], jobs: Sequence[Job]
) -> Iterator[Made]:
    """What ``first`` makes in this process, then the results of the jobs, one process each."""
    with _context().Pool(len(jobs)) as pool:
        others = pool.imap(work, jobs)
        yield first()
        yield from others


def spread(
    work: Callable[[Job], Made], jobs: Sequence[Job], workers: int
) -> Generator[Made, None, None]:
    """The results of the jobs in their order, while further ones are under way."""
    with _context().Pool(min(workers, len(jobs))) as pool:
        yield from pool.imap(work, jobs)


def _context() -> BaseContext:
    # A fork copies only the calling thread, so it is for programs of one thread.
    alone = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone else "spawn")


def append_file(stream: BinaryIO, path: Path) -> None:
    """Add a file's content at the end of a stream."""
    with path.open("rb") as part:
        shutil.copyfileobj(part, stream, 1 << 20)
