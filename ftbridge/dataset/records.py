"""From bytes to records: JSON lines, one JSON document, CSV and TSV, Parquet.

Each record is a JSON object as bytes, or a row of columns, with the line it begins on (for
Parquet: the row). What is broken is a :class:`BadLine`; reading goes on where it can.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, NamedTuple, TypeAlias

import msgspec

from ftbridge.dataset.source import PARQUET_MAGIC, Source, needs
from ftbridge.errors import DataError

MAX_LINE_BYTES = 32 * 1024 * 1024
"""Longer lines are refused; no vendor takes an example near this size."""

MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
"""A whole-file JSON object is held in memory, so its size is capped; arrays are streamed."""

CHUNK = 1 << 17
"""Bytes read at once: large enough that Python's share is small, small enough for caches."""

Container = Literal["jsonl", "array", "object", "csv", "tsv", "parquet"]
Row: TypeAlias = dict[str, Any] | list[Any]


class BadLine(NamedTuple):
    """A line that is not a valid example. ``message`` says what is wrong and what to do."""

    line: int
    message: str


TOO_LONG = f"the line is longer than {MAX_LINE_BYTES // 1024**2} MB; split or drop it"


def container_of(source: Source) -> Container:
    """What the file is made of, by its suffix, else by how it begins."""
    suffix = source.suffix.removeprefix(".")
    if suffix in ("jsonl", "csv", "tsv", "parquet"):
        return suffix  # type: ignore[return-value]
    head = source.head()
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    start = head.lstrip()
    if start.startswith(b"["):
        return "array"
    first = start.split(b"\n", 1)[0]
    if suffix != "json" or len(first) == len(head) or not start.startswith(b"{"):
        return "jsonl"
    try:
        msgspec.json.decode(first, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return "object"
    return "jsonl"


def json_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | BadLine]]:
    """Number and bytes of each line that is not blank; a line over the limit is a BadLine."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
            yield number, BadLine(number, TOO_LONG)
        elif line.strip():
            yield number, line


def blocks(stream: Any) -> Iterator[tuple[int, int, memoryview]]:
    """Whole lines in blocks: number of the first line, count of lines, and the bytes.

    The bytes are a view of a buffer that the next block overwrites. A line over the limit is
    a block of its own, longer than the limit, cut off.
    """
    buffer = bytearray(CHUNK)
    first, held = 1, 0
    while size := stream.readinto(memoryview(buffer)[held:]):
        end = held + size
        cut = buffer.rfind(b"\n", 0, end) + 1
        if not cut and end > MAX_LINE_BYTES:
            yield first, 1, memoryview(buffer)[:end]
            held = 0
            first += 1
            while (rest := stream.read(CHUNK)) and b"\n" not in rest:
                pass
            if rest:
                after = rest.partition(b"\n")[2]
                buffer[: len(after)] = after
                held = len(after)
            continue
        if cut:
            count = buffer.count(b"\n", 0, cut)
            yield first, count, memoryview(buffer)[:cut]
            first += count
        held = end - cut
        buffer[:held] = buffer[cut:end]
        if held == len(buffer):
            buffer = buffer + bytearray(len(buffer))
    if held:
        yield first, 1, memoryview(buffer)[:held]


def json_array(stream: BinaryIO) -> Iterator[tuple[int, bytes | BadLine]]:
    """The elements of one JSON array, each on the line it begins, in little memory."""
    with io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
        yield from _elements(text)


def _elements(text: io.TextIOWrapper) -> Iterator[tuple[int, bytes | BadLine]]:
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    buffer, line, ended = "", 1, False
    opened = False
    while True:
        rest = buffer.lstrip(" \t\r\n,")
        line += buffer[: len(buffer) - len(rest)].count("\n")
        buffer = rest
        if not opened and buffer:
            buffer, opened = buffer.removeprefix("["), True
            continue
        if buffer.startswith("]"):
            return
        try:
            end = decoder.raw_decode(buffer)[1] if buffer else 0
        except (ValueError, RecursionError):
            end = 0
        if end and (end < len(buffer) or ended):
            yield line, one_line(buffer[:end].encode("utf-8", "surrogatepass"))
            line += buffer.count("\n", 0, end)
            buffer = buffer[end:]
            continue
        try:
            full = ended or len(buffer) > MAX_LINE_BYTES
            more = "" if full else text.read(max(CHUNK, len(buffer)))
        except UnicodeDecodeError:
            yield line, BadLine(line, "not UTF-8 from here on; save the file as UTF-8")
            return
        if not more and (ended or len(buffer) > MAX_LINE_BYTES):
            yield line, BadLine(line, "the JSON array breaks off here; correct or close it")
            return
        ended = not more
        buffer += more


def one_line(raw: bytes) -> bytes:
    """JSON without line breaks between its tokens; the tokens themselves stay as they are."""
    if b"\n" not in raw and b"\r" not in raw:
        return raw
    try:
        return msgspec.json.format(raw, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return raw.replace(b"\n", b" ").replace(b"\r", b" ")


def json_object(source: Source, rows: str | None) -> Iterator[tuple[int, bytes | BadLine]]:
    """A whole-file object: the list under the key ``rows``, or the object itself."""
    with source.open() as stream:
        content = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DataError(
            f"{source.location}: one JSON object of more than {MAX_DOCUMENT_BYTES // 1024**2} MB",
            hint="write one JSON object a line, or one JSON array",
            where=source.location,
        )
    if rows is None:
        yield 1, one_line(content)
        return
    try:
        members = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        elements = msgspec.json.decode(members[rows], type=list[msgspec.Raw])
    except (KeyError, msgspec.DecodeError, RecursionError):
        raise DataError(
            f"{source.location}: has no list under the key `{rows}`",
            hint="correct --map rows=",
            where=source.location,
        ) from None
    where = content.find(bytes(members[rows]))
    line = content.count(b"\n", 0, where) + 1
    for element in elements:
        # Raw values are slices in the order of the text, so each is found after the last.
        start = content.find(bytes(element), where)
        line += content.count(b"\n", where, start)
        where = start
        yield line, one_line(bytes(element))


def table_rows(
    source: Source, container: Container, header: bool
) -> Iterator[tuple[int, Row | BadLine]]:
    """The rows of a CSV or TSV file, quoted line breaks included."""
    csv.field_size_limit(MAX_LINE_BYTES)
    with source.open() as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
        tabs = container == "tsv"
        reader = csv.reader(
            text,
            delimiter="\t" if tabs else ",",
            quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        )
        names: list[str] | None = None
        while True:
            number = reader.line_num + 1
            try:
                row = next(reader, None)
            except UnicodeDecodeError:
                yield number, BadLine(number, "not UTF-8 from here on; save the file as UTF-8")
                return
            except csv.Error as error:
                yield number, BadLine(number, f"not {container.upper()}: {error}; correct it")
                continue
            if row is None:
                return
            if names is None and header:
                names = row
            elif not row:
                continue
            elif names is not None and len(row) != len(names):
                wrong = f"{len(row)} cells, but the header has {len(names)}; quote or fill them"
                yield number, BadLine(number, wrong)
            else:
                yield number, dict(zip(names, row, strict=True)) if names is not None else [*row]


def parquet_rows(source: Source) -> Iterator[tuple[int, Row | BadLine]]:
    """The rows of a Parquet file, a batch at a time."""
    parquet = needs("pyarrow.parquet", "parquet", "a Parquet file")
    arrow = needs("pyarrow", "parquet", "a Parquet file")
    number = 0
    with source.open() as stream:
        try:
            for batch in parquet.ParquetFile(stream).iter_batches(batch_size=512):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
        except arrow.ArrowInvalid:
            raise DataError(
                f"{source.location}: not a readable Parquet file",
                hint="write it again",
                where=source.location,
            ) from None
