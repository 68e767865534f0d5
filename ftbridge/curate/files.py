"""Files of rows that a person works through: read whole, written whole or grown by a line."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ftbridge.dataset.types import Example, to_json
from ftbridge.errors import DataError
from ftbridge.files import atomic_write, private_dir


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file of ours, drafts included, which no ordinary reader gives out.

    Raises:
        DataError: where it is missing or a line is no object.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", hint="name a file", where=str(path)) from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError:
            row = None
        if not isinstance(row, dict):
            raise DataError(
                f"{path}:{number}: no JSON object; write one a line",
                hint="correct or remove the line",
                where=f"{path}:{number}",
            )
        rows.append(row)
    return rows


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Put these rows in the place of the file, whole or not at all."""
    with atomic_write(path) as stream:
        for row in rows:
            stream.write(msgspec.json.encode(row) + b"\n")


def append(path: Path, example: Example) -> None:
    """Add one example; a line that a crash cut off is told by the reader, not hidden."""
    private_dir(path.parent)
    with path.open("ab") as stream:
        path.chmod(0o600)
        stream.write(to_json(example) + b"\n")


def me() -> str:
    """Who reviews, by the system's own account."""
    return getpass.getuser()
