"""Strict checks of a request body, from a declaration of what a vendor's endpoint knows.

A rule says what a value may be, `problems` lists what is wrong with one. How a problem is
worded on the wire, and with which status and code, is the emulator's affair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Fault(StrEnum):
    """The kinds of problem, for an emulator to map onto its vendor's error codes."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    TYPE = "type"
    CHOICE = "choice"
    BELOW = "below"
    ABOVE = "above"
    SHORT = "short"
    LONG = "long"
    MANY = "many"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where (``a.b[0]``), of which kind, and what was expected."""

    path: str
    fault: Fault
    expected: str
    found: str = ""


class Rule(Protocol):
    """What a value may be."""

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        """Everything that is wrong with a value."""
        ...


def kind(value: Any) -> str:
    """What JSON calls a value."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return "null" if value is None else names.get(type(value), "object")


def _mistyped(value: Any, path: str, expected: str) -> Problem:
    return Problem(path, Fault.TYPE, expected, kind(value))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@dataclass(frozen=True)
class Anything:
    """Any JSON value: the vendor checks it, this emulator doesn't."""

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        return iter(())


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield _mistyped(value, path, "boolean")


@dataclass(frozen=True)
class Text:
    """A string: one of ``choices``, or of a length within bounds."""

    choices: tuple[str, ...] = ()
    shortest: int = 0
    longest: int | None = None

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield _mistyped(value, path, "string")
        elif self.choices and value not in self.choices:
            yield Problem(path, Fault.CHOICE, ", ".join(map(repr, self.choices)), value)
        elif len(value) < self.shortest:
            yield Problem(path, Fault.SHORT, str(self.shortest), str(len(value)))
        elif self.longest is not None and len(value) > self.longest:
            yield Problem(path, Fault.LONG, str(self.longest), str(len(value)))


@dataclass(frozen=True)
class Number:
    """A number within bounds; ``above`` excludes its bound. Some fields take a word instead."""

    integer: bool = False
    least: float | None = None
    above: float | None = None
    most: float | None = None
    words: tuple[str, ...] = ()

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        wanted = (int,) if self.integer else (int, float)
        if isinstance(value, str) and value in self.words:
            return
        if isinstance(value, bool) or not isinstance(value, wanted):
            words = [f"'{word}'" for word in self.words]
            yield _mistyped(
                value, path, " or ".join(["integer" if self.integer else "number", *words])
            )
        elif self.least is not None and value < self.least:
            yield Problem(path, Fault.BELOW, f">= {self.least}", str(value))
        elif self.above is not None and value <= self.above:
            yield Problem(path, Fault.BELOW, f"> {self.above}", str(value))
        elif self.most is not None and value > self.most:
            yield Problem(path, Fault.ABOVE, f"<= {self.most}", str(value))


@dataclass(frozen=True)
class Items:
    """An array of like things."""

    each: Rule
    shortest: int = 0
    most: int | None = None

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield _mistyped(value, path, "array")
            return
        if len(value) < self.shortest:
            yield Problem(path, Fault.SHORT, str(self.shortest), str(len(value)))
        if self.most is not None and len(value) > self.most:
            yield Problem(path, Fault.MANY, str(self.most), str(len(value)))
        for index, item in enumerate(value):
            yield from self.each.problems(item, f"{path}[{index}]")


@dataclass(frozen=True)
class Pairs:
    """An object whose keys are free: a map."""

    each: Rule
    most: int | None = None
    longest_key: int | None = None

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _mistyped(value, path, "object")
            return
        if self.most is not None and len(value) > self.most:
            yield Problem(path, Fault.MANY, str(self.most), str(len(value)))
        for key, item in value.items():
            if self.longest_key is not None and len(key) > self.longest_key:
                yield Problem(path, Fault.LONG, str(self.longest_key), str(len(key)))
            yield from self.each.problems(item, _below(path, key))


@dataclass(frozen=True)
class Field:
    """A key of a `Record`."""

    rule: Rule
    required: bool = False
    nullable: bool = False


@dataclass(frozen=True)
class Record:
    """An object with known keys; every other key is a problem unless it is ``open``."""

    fields: Mapping[str, Field]
    open: bool = False

    def problems(self, value: Any, path: str = "") -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _mistyped(value, path, "object")
            return
        for name in value:
            if name not in self.fields and not self.open:
                yield Problem(_below(path, name), Fault.UNKNOWN, "")
        for name, field in self.fields.items():
            where = _below(path, name)
            if name not in value:
                if field.required:
                    yield Problem(where, Fault.MISSING, "")
            elif not (value[name] is None and field.nullable):
                yield from field.rule.problems(value[name], where)


@dataclass(frozen=True)
class Tagged:
    """One of several records; the value of the key ``tag`` says which."""

    tag: str
    cases: Mapping[str, Record]

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _mistyped(value, path, "object")
            return
        chosen = value.get(self.tag)
        tag = Field(Text(choices=tuple(self.cases)), required=True)
        if isinstance(chosen, str) and chosen in self.cases:
            case = self.cases[chosen]
            yield from Record({self.tag: tag, **case.fields}, case.open).problems(value, path)
        else:
            yield from Record({self.tag: tag}, open=True).problems(value, path)
