"""Replacing secrets and personal data by typed placeholders, the same value by the same one."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.quality.finding import SHOWN_LINES
from ftbridge.dataset.scan import SENSITIVE_KEY, scan_text
from ftbridge.dataset.types import to_json
from ftbridge.errors import UsageError
from ftbridge.files import atomic_write
from ftbridge.policy.labels import carry

_PLACEHOLDER = re.compile(r"<([A-Z]+(?:_[A-Z]+)*)_(\d{1,9})>")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*')
_KEY_FOLLOWS = re.compile(r"\s*:")


@dataclass
class Redacted:
    """How often one kind was replaced, by how many placeholders, and on which first lines."""

    kind: str
    count: int = 0
    placeholders: int = 0
    lines: list[int] = field(default_factory=list)


class Redaction(NamedTuple):
    """The file that was written, how many rows it has, and what was replaced."""

    path: Path
    rows: int
    changed: int
    findings: list[Redacted]


def redact(dataset: Dataset, out: Path) -> Redaction:
    """Write a copy without secrets and personal data, as canonical lines.

    Every text is treated, tool arguments too, which stay valid JSON; so does any other text that
    is JSON. Within the file the same value gets the same placeholder (``<EMAIL_1>``).

    Raises:
        DataError: where a line is bad; nothing is written then.
        UsageError: where ``out`` is the file itself.
    """
    if not dataset.source.remote and out.exists() and out.samefile(dataset.path):
        raise UsageError(
            f"{out}: would replace the original", hint="name another file with -o", where=str(out)
        )
    redactor = Redactor()
    for item in dataset.examples():
        redactor.reserve(to_json(item.example).decode())
    rows = changed = 0
    with atomic_write(out) as stream:
        for item in dataset.examples():
            line = to_json(item.example).decode()
            clean = redactor.text(line, item.line)
            rows += 1
            changed += clean != line
            stream.write(clean.encode() + b"\n")
        carry(dataset.source.location, (out,))
    return Redaction(out, rows, changed, sorted(redactor.found.values(), key=lambda r: r.kind))


class Redactor:
    """Replaces values and remembers which placeholder each got, by keyed hash only."""

    def __init__(self) -> None:
        self.found: dict[str, Redacted] = {}
        self._salt = os.urandom(16)
        self._names: dict[bytes, str] = {}
        self._taken: dict[str, int] = {}

    def reserve(self, text: str) -> None:
        """Keep clear of the placeholders that a text already has."""
        for name, number in _PLACEHOLDER.findall(text):
            self._taken[name] = max(self._taken.get(name, 0), int(number))

    def text(self, text: str, line: int) -> str:
        """A text without private values; JSON stays JSON."""
        if text.lstrip()[:1] in ("{", "[") and _is_json(text):
            return self._numbers(self.json(text, line), line)
        return self._plain(text, line)

    def json(self, text: str, line: int) -> str:
        """JSON text with its strings and numbers treated; every other byte stays as it is."""
        parts: list[str] = []
        at = 0
        sensitive = False
        for match in _TOKEN.finditer(text):
            token = match[0]
            clean, named = self._token(token, line, sensitive)
            sensitive = named and bool(_KEY_FOLLOWS.match(text, match.end()))
            if clean is not token:
                parts += [text[at : match.start()], clean]
                at = match.end()
        return "".join([*parts, text[at:]])

    def _token(self, token: str, line: int, sensitive: bool) -> tuple[str, bool]:
        """A string or number of JSON, cleaned, and whether it names something secret."""
        if token[0] != '"':
            clean = self._plain(token, line) if len(token) > 6 else token
            return (
                (token, False) if clean == token else (msgspec.json.encode(clean).decode(), False)
            )
        value = token[1:-1] if "\\" not in token else msgspec.json.decode(token, type=str)
        if value.startswith("data:"):
            return token, False
        if sensitive and value and not _PLACEHOLDER.fullmatch(value):
            clean = self._name("password", value, line)
        else:
            clean = self.text(value, line)
        named = bool(SENSITIVE_KEY.search(value)) and len(value) < 64
        return (token, named) if clean == value else (msgspec.json.encode(clean).decode(), named)

    def _numbers(self, text: str, line: int) -> str:
        """JSON text without numbers that are private by what stands before them."""
        spans = scan_text(text)
        if not spans:
            return text
        parts: list[str] = []
        at = 0
        for match in _TOKEN.finditer(text):
            start, end = match.span()
            if match[0][0] == '"':
                continue
            kind = next((kind for a, b, kind in spans if start <= a and b <= end), "")
            if kind:
                parts += [text[at:start], f'"{self._name(kind, match[0], line)}"']
                at = end
        return "".join([*parts, text[at:]])

    def _plain(self, text: str, line: int) -> str:
        """A text cleaned again and again: with one value gone, its neighbour can come to light."""
        while spans := scan_text(text):
            parts: list[str] = []
            at = 0
            for start, end, kind in spans:
                parts += [text[at:start], self._name(kind, text[start:end], line)]
                at = end
            text = "".join([*parts, text[at:]])
        return text

    def _name(self, kind: str, value: str, line: int) -> str:
        key = hashlib.blake2b(f"{kind}\0{value}".encode(), key=self._salt).digest()
        record = self.found.setdefault(kind, Redacted(kind))
        record.count += 1
        if line not in record.lines and len(record.lines) < SHOWN_LINES:
            record.lines.append(line)
        if key not in self._names:
            name = kind.upper()
            self._taken[name] = self._taken.get(name, 0) + 1
            self._names[key] = f"<{name}_{self._taken[name]}>"
            record.placeholders += 1
        return self._names[key]


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
