"""Reading examples: never a file whole in memory, each error with its line and field."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from ftbridge.dataset import records
from ftbridge.dataset.detect import Guess, detect
from ftbridge.dataset.formats.canonical import DECODERS, decode_as
from ftbridge.dataset.formats.canonical import FORMAT as CANONICAL
from ftbridge.dataset.formats.format import Format
from ftbridge.dataset.mapping import Mapping
from ftbridge.dataset.records import BadLine, Container, Row
from ftbridge.dataset.rules import problem_of
from ftbridge.dataset.source import Source
from ftbridge.dataset.types import Example, Kind, kind_of
from ftbridge.errors import DataError

__all__ = ["BadLine", "Numbered", "Reader"]

_AT = re.compile(r" - at `(key in )?\$\.?(?P<path>.*)`$")
_NAMED = re.compile(
    r"^Object (?P<fault>contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL
)
_ENUM = re.compile(r"^Invalid (enum )?value .*$", re.DOTALL)


class Numbered(NamedTuple):
    """An example and the line it stands on (the first line is 1)."""

    line: int
    example: Example


class Reader:
    """How the examples of one source are read: container, format and kind, settled once.

    Args:
        source: where the bytes are.
        wanted: the format, where it is not to be detected.
        mapping: which column plays which role, for tables and foreign records.
    """

    def __init__(
        self, source: Source, wanted: Format | None = None, mapping: Mapping | None = None
    ) -> None:
        source.require()
        self.source, self.mapping = source, mapping
        self.container: Container = records.container_of(source)
        self.guess = self._settle(wanted)
        self._lines_read: int | None = None

    def part(self, span: tuple[int, int]) -> Reader:
        """A reader of the same settings for a range of bytes that begins and ends with lines."""
        part = copy.copy(self)
        part.source = Source(self.source.path, span)
        return part

    def count_lines(self) -> int:
        """The lines of the source, blank ones included; free where all was just read."""
        if self._lines_read is not None:
            return self._lines_read
        with self.source.open(buffered=False) as stream:
            return sum(count for _, count, _ in records.blocks(stream))

    def read(self) -> Iterator[Numbered | BadLine]:
        """Every record as an example or as what is wrong with it."""
        if self.mapping is not None:
            return self._mapped(self.mapping)
        if self.container == "jsonl" and self.guess.format is CANONICAL:
            with_blocks = DECODERS.get(self.guess.kind)
            if with_blocks is not None:
                return self._fast(with_blocks)
        return self._each()

    def decode(self, number: int, line: bytes) -> Numbered | BadLine:
        """One record to an example, checked for shape, kind and the rules of its kind."""
        form, kind = self.guess
        try:
            example = decode_as(kind, line) if form is CANONICAL else form.decode(line)
        except (DataError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return BadLine(number, explain(error, line))
        if kind_of(example) is not kind:
            wrong = f"a {kind_of(example)} example in a file of {kind}; keep one kind a file"
            return BadLine(number, wrong)
        problem = problem_of(example)
        return BadLine(number, problem) if problem else Numbered(number, example)

    def _settle(self, wanted: Format | None) -> Guess:
        if self.mapping is None:
            return detect((line for _, line in self._lines() if isinstance(line, bytes)), wanted)
        for item in self._mapped(self.mapping):
            if isinstance(item, Numbered):
                return Guess(CANONICAL, kind_of(item.example))
        return Guess(CANONICAL, Kind.CHAT)

    def _fast(self, decoder: msgspec.json.Decoder[Any]) -> Iterator[Numbered | BadLine]:
        """Canonical lines, a block at a time; a block with a bad line is read line by line."""
        decode_lines: Callable[[bytes], list[Any]] = decoder.decode_lines
        lines = 0
        with self.source.open(buffered=False) as stream:
            for first, count, view in records.blocks(stream):
                lines = first + count - 1
                block = bytes(view)  # what stays undecoded in an example is a slice of it
                try:
                    examples = decode_lines(block) if len(block) <= records.MAX_LINE_BYTES else []
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    examples = []
                if len(examples) != count:
                    yield from self.by_line(first, block)
                    continue
                for number, example in enumerate(examples, first):
                    problem = problem_of(example)
                    yield BadLine(number, problem) if problem else Numbered(number, example)
        self._lines_read = lines

    def by_line(self, first: int, block: bytes) -> Iterator[Numbered | BadLine]:
        """The lines of a block one by one, the first of which has the number ``first``."""
        for number, line in records.json_lines(io.BytesIO(block)):
            at = first + number - 1
            if isinstance(line, BadLine):
                yield BadLine(at, line.message)
            else:
                yield self.decode(at, line)

    def _each(self) -> Iterator[Numbered | BadLine]:
        for number, line in self._lines():
            yield line if isinstance(line, BadLine) else self.decode(number, line)

    def _mapped(self, mapping: Mapping) -> Iterator[Numbered | BadLine]:
        for number, row in self._rows():
            if isinstance(row, BadLine):
                yield row
                continue
            try:
                example = mapping.example(row)
            except DataError as error:
                yield BadLine(number, error.message)
                continue
            problem = problem_of(example)
            yield BadLine(number, problem) if problem else Numbered(number, example)

    def _rows(self) -> Iterator[tuple[int, Row | BadLine]]:
        """Records as columns."""
        by_place = self.mapping is not None and self.mapping.by_place
        if self.container in ("csv", "tsv"):
            yield from records.table_rows(self.source, self.container, header=not by_place)
        elif self.container == "parquet":
            yield from records.parquet_rows(self.source)
        else:
            for number, line in self._lines():
                if isinstance(line, BadLine):
                    yield number, line
                    continue
                try:
                    yield number, msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    yield number, BadLine(number, explain(error, line))

    def _lines(self) -> Iterator[tuple[int, bytes | BadLine]]:
        """Records as JSON objects."""
        if self.container in ("csv", "tsv", "parquet"):
            for number, row in self._rows():
                if isinstance(row, BadLine):
                    yield number, row
                else:
                    yield number, msgspec.json.encode(row)
        elif self.container == "object":
            yield from records.json_object(self.source, self.mapping.rows if self.mapping else None)
        else:
            split = records.json_array if self.container == "array" else records.json_lines
            with self.source.open() as stream:
                yield from split(stream)


def explain(error: Exception, line: bytes) -> str:
    """What a decoder found wrong: the field first, never a value, and what to do."""
    if isinstance(error, DataError):
        return error.message
    if isinstance(error, msgspec.ValidationError):
        return _explain(str(error))
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {_fault_of_utf8(line)}; save the file as UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deeply; flatten the object"
    text = str(error)
    if "truncated" in text and line.rstrip().endswith((b"}", b"]")) and b"\\u" in line:
        return (
            "not JSON: cut off, or half of a surrogate pair (\\ud800 to \\udfff alone); write the "
            "whole character"
        )
    what = text.removeprefix("JSON is malformed: ")
    return f"not JSON: {what[0].lower()}{what[1:]}; write one JSON object a line"


def _fault_of_utf8(line: bytes) -> int:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error.start + 1
    return 1


def _explain(message: str) -> str:
    """msgspec's sentence, with the field first and without the offending value."""
    at = _AT.search(message)
    field = at["path"] if at else ""
    what = _AT.sub("", message)
    if _ENUM.match(what):
        what = "a value that is not allowed here; use one that docs/dataset-format.md lists"
        if field.endswith("role"):
            what = "unknown role; use system, user, assistant or tool"
        elif field.endswith("weight"):
            what = "must be 0 or 1; correct it"
    elif named := _NAMED.match(what):
        name = named["name"] or '""'
        field = f"{field}.{name}" if field else name
        unknown = named["fault"] == "contains unknown"
        what = (
            "unknown key; remove it, or move it under `metadata`" if unknown else "missing; add it"
        )
    elif "of length >= 1" in what:
        what = "is empty; fill it or leave it out"
    else:
        what = f"{what[0].lower()}{what[1:]}; correct the type"
    return f"`{field}`: {what}" if field else what
