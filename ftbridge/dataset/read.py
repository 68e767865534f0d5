"""Reading JSONL line by line: never whole in memory, each error with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from ftbridge.dataset.rules import problem_of
from ftbridge.dataset.types import Chat, Example
from ftbridge.errors import DataError

MAX_LINE_BYTES = 32 * 1024 * 1024
"""Longer lines are refused; no vendor takes an example near this size."""

_decoder = msgspec.json.Decoder(Chat)
_AT = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_ENUM = re.compile(r"^Invalid (enum )?value .*$", re.DOTALL)


class Numbered(NamedTuple):
    """An example and the line it stands on (the first line is 1)."""

    line: int
    example: Example


class BadLine(NamedTuple):
    """A line that is not a valid example. ``message`` says what is wrong and what to do."""

    line: int
    message: str


def open_data(path: Path) -> Path:
    """The path itself if it is a readable, non-empty file.

    Raises DataError for a missing file, a folder, an empty file or one without permission.
    """
    if not path.exists():
        raise DataError(
            f"{path}: no such file", hint="check the path", where=str(path), code="missing_file"
        )
    if path.is_dir():
        raise DataError(
            f"{path}: is a folder, not a file", hint="name one JSONL file", where=str(path)
        )
    try:
        with path.open("rb") as stream:
            if not stream.read(1):
                raise DataError(
                    f"{path}: the file is empty",
                    hint="write one JSON example a line",
                    where=str(path),
                )
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}",
            hint="check its permissions",
            where=str(path),
        ) from None
    return path


def read_lines(path: Path) -> Iterator[tuple[int, bytes | BadLine]]:
    """Number and bytes of each line that is not blank; a line over the limit is a BadLine."""
    with open_data(path).open("rb") as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MAX_LINE_BYTES)
                limit = MAX_LINE_BYTES // 1024**2
                yield (
                    number,
                    BadLine(number, f"the line is longer than {limit} MB; split or drop it"),
                )
            elif line.strip():
                yield number, line


def decode(number: int, line: bytes) -> Numbered | BadLine:
    """One line to an example, checked for shape and for the rules of its kind."""
    try:
        example = _decoder.decode(line)
    except msgspec.ValidationError as error:
        return BadLine(number, _explain(str(error)))
    except msgspec.DecodeError as error:
        return BadLine(number, f"not JSON: {error}; write one JSON object a line")
    except UnicodeDecodeError as error:
        return BadLine(number, f"not UTF-8 at byte {error.start}; save the file as UTF-8")
    except RecursionError:
        return BadLine(number, "nested too deeply; flatten the object")
    problem = problem_of(example)
    return BadLine(number, problem) if problem else Numbered(number, example)


def read(path: Path) -> Iterator[Numbered | BadLine]:
    """Every line of a file as an example or as what is wrong with it."""
    for number, line in read_lines(path):
        yield line if isinstance(line, BadLine) else decode(number, line)


def _explain(message: str) -> str:
    """msgspec's sentence, with the field first and without the offending value."""
    at = _AT.search(message)
    field = at["path"] if at else ""
    what = _AT.sub("", message)
    if _ENUM.match(what):
        what = "a value that is not allowed here"
        if field.endswith("role"):
            what = "unknown role; use system, user, assistant or tool"
        elif field.endswith("weight"):
            what = "weight must be 0 or 1"
    elif "unknown field" in what:
        what = f"{what[0].lower()}{what[1:]}; remove it, or move it under `metadata`"
    elif "missing required field" in what:
        what = f"{what[0].lower()}{what[1:]}; add it"
    else:
        what = f"{what[0].lower()}{what[1:]}; correct the type"
    return f"`{field}`: {what}" if field else what
