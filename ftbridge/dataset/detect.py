"""What a file holds, judged by its first records: container, format and kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from ftbridge.dataset.formats import load, names
from ftbridge.dataset.formats.canonical import FORMAT as CANONICAL
from ftbridge.dataset.formats.canonical import decode_as, guess_kind, is_open_ended
from ftbridge.dataset.formats.format import Format
from ftbridge.dataset.rules import problem_of
from ftbridge.dataset.types import Kind, kind_of
from ftbridge.errors import DataError

SNIFFED = 100
"""How many records are looked at before a file's kind is settled."""


class Guess(NamedTuple):
    """The format and kind of a file."""

    format: Format
    kind: Kind


def detect(records: Iterable[bytes], wanted: Format | None = None) -> Guess:
    """The format (unless ``wanted``) and kind of a file, by its first good record.

    A conversation that waits for an answer may be a prompt for RL or a chat whose answer was
    forgotten; it settles nothing while a later record is clearer.
    """
    weak: Guess | None = None
    fallback: Guess | None = None
    for line in islice(records, SNIFFED):
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if not isinstance(record, dict):
            continue
        form = wanted or format_of(record)
        guess = kind_in(form, record, line)
        if guess is None:
            fallback = fallback or Guess(form, _by_keys(form, record))
        elif guess.kind is Kind.REWARD and not _graded(record):
            weak = weak or guess
        else:
            return guess
    return weak or fallback or Guess(wanted or CANONICAL, _first_kind(wanted or CANONICAL))


def format_of(record: Mapping[str, Any]) -> Format:
    """The format whose marks a record bears; ours where there is none."""
    if CANONICAL.looks_like(record) and not _foreign(record):
        return CANONICAL
    for name in names():
        form = load(name)
        if form is not CANONICAL and form.looks_like(record):
            return form
    return CANONICAL


def _foreign(record: Mapping[str, Any]) -> bool:
    """Whether messages have parts or calls in a shape that is not ours."""
    for message in _list(record.get("messages")) + _list(record.get("prompt")):
        for part in _list(message.get("content")):
            if "type" not in part or (part.get("type") == "image" and "image_url" not in part):
                return True
        for call in _list(message.get("tool_calls")):
            function = call.get("function")
            if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
                return True
    return False


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def kind_in(form: Format, record: Mapping[str, Any], line: bytes) -> Guess | None:
    """The kind of a good record; None where it is bad."""
    try:
        example = decode_as(guess_kind(record), line) if form is CANONICAL else form.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DataError):
        return None
    return None if problem_of(example) else Guess(form, kind_of(example))


def _by_keys(form: Format, record: Mapping[str, Any]) -> Kind:
    if form is not CANONICAL:
        return _first_kind(form)
    kind = guess_kind(record)
    return Kind.CHAT if kind is Kind.REWARD and "reference" not in record else kind


def _graded(record: Mapping[str, Any]) -> bool:
    """Whether something beside an open-ended conversation says that this is for RL."""
    return not is_open_ended(record) or not record.keys() <= {"messages", "tools", "metadata"}


def _first_kind(form: Format) -> Kind:
    """The kind that a format is made for; one that is only read makes chats."""
    return form.kinds[0] if form.kinds else Kind.CHAT
