"""What a vendor would reject, from the ``rules.toml`` in its folder: rules as data, one reader.

A rule has a name that this module knows, a value, optionally the ``kinds`` and ``formats`` that
it is for, and who says so. They are asked of what would be sent: the example as it comes back
from the vendor's own line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ftbridge.dataset.dataset import Dataset
from ftbridge.dataset.example_rules import BESIDE_TEXTS, EXAMPLE_RULES, only_texts
from ftbridge.dataset.formats import Format, load, names
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.records import BadLine
from ftbridge.dataset.types import Example, Kind
from ftbridge.errors import DataError, UsageError


class Rule(BaseModel):
    """One rule. ``formats`` and ``kinds`` are those it is for; empty: all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    value: Any
    kinds: tuple[Kind, ...] = ()
    formats: tuple[str, ...] = ()
    source: str
    as_of: date

    def applies(self, form: str, kind: Kind) -> bool:
        """Whether it is for lines of this format and kind."""
        return (not self.formats or form in self.formats) and (not self.kinds or kind in self.kinds)


class RuleBook(BaseModel):
    """A vendor's ``rules.toml``. ``formats``: its own, the first that takes a kind is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    providers: tuple[str, ...]
    formats: tuple[str, ...]
    rule: tuple[Rule, ...]


class Rules:
    """A vendor's rules for one format and kind; :meth:`look` at each example, then finish."""

    def __init__(self, book: RuleBook, form: Format, kind: Kind) -> None:
        self.format, self.kind, self.vendor = form, kind, book.providers[0]
        chosen = [rule for rule in book.rule if rule.applies(form.name, kind)]
        self._file = {rule.rule: rule for rule in chosen if rule.rule in _FILE_RULES}
        self._example = [(rule, EXAMPLE_RULES[rule.rule]) for rule in chosen
                         if rule.rule in EXAMPLE_RULES]  # fmt: skip
        self._of_texts = [pair for pair in self._example if pair[0].rule not in BESIDE_TEXTS]
        self._line_bytes = _value(self._file, "max_line_bytes")
        self._tokens = _value(self._file, "max_tokens")
        bounded = self._line_bytes or self._tokens
        self._silent = form.keeps_shape and not self._of_texts and not bounded
        self.examples = self.bytes = 0

    @property
    def max_tokens(self) -> int | None:
        """The most tokens of an example, where there is such a rule."""
        return self._tokens

    def look(
        self, number: int, example: Example, made: Converted, tokens: int | None = None
    ) -> Iterable[BadLine]:
        """What would be rejected in one line.

        Args:
            number: its line in the user's file.
            example: what it was made of.
            made: the line as it would be sent.
            tokens: its tokens, at least, where they were counted.
        """
        self.examples += 1
        self.bytes += len(made.line) + 1
        if self._silent and not made.losses and only_texts(example):
            return ()
        return self._look(number, example, made, tokens)

    def _look(
        self, number: int, example: Example, made: Converted, tokens: int | None
    ) -> Iterator[BadLine]:
        if self._line_bytes and len(made.line) > self._line_bytes:
            yield BadLine(number, f"{len(made.line):,} bytes; {self.vendor} takes at most "
                          f"{self._line_bytes:,} a line; shorten it")  # fmt: skip
        if self._tokens and tokens and tokens > self._tokens:
            yield BadLine(number, f"at least {tokens:,} tokens; {self.vendor} takes at most "
                          f"{self._tokens:,} an example; shorten it")  # fmt: skip
        same = self.format.keeps_shape and not made.losses
        sent = example if same else self.format.decode(made.line)
        for rule, look in self._of_texts if only_texts(sent) else self._example:
            for message in look(rule.value, sent):
                yield BadLine(number, message.replace("{vendor}", self.vendor))

    def finish(self) -> Iterator[BadLine]:
        """What is wrong with the file as a whole, told of its first line."""
        low, high = _value(self._file, "min_examples"), _value(self._file, "max_examples")
        if low and self.examples < low:
            yield BadLine(1, f"{self.examples} examples; {self.vendor} wants at least {low}; "
                          "add examples")  # fmt: skip
        if high and self.examples > high:
            yield BadLine(1, f"{self.examples:,} examples; {self.vendor} takes at most {high:,}; "
                          "train on fewer")  # fmt: skip
        most = _value(self._file, "max_file_bytes")
        if most and self.bytes > most:
            yield BadLine(1, f"{self.bytes:,} bytes in the format {self.format.name}; "
                          f"{self.vendor} takes at most {most:,}; train on fewer rows")  # fmt: skip


_FILE_RULES = frozenset(
    {"min_examples", "max_examples", "max_file_bytes", "max_line_bytes", "max_tokens"}
)


def _value(rules: Mapping[str, Rule], name: str) -> int | None:
    return int(rules[name].value) if name in rules else None


@cache
def load_book(path: Path) -> RuleBook:
    """Read a ``rules.toml``; a bad one is our bug and raises ValueError."""
    book = RuleBook.model_validate(tomllib.loads(path.read_text("utf-8")))
    for rule in book.rule:
        if rule.rule not in _FILE_RULES and rule.rule not in EXAMPLE_RULES:
            raise ValueError(f"{path}: no rule is called {rule.rule}")
    return book


@cache
def books() -> dict[str, RuleBook]:
    """Every vendor's rules, under the names of its providers and of its formats."""
    found: dict[str, RuleBook] = {}
    for name in names():
        folder = load(name).folder
        if folder is not None and (folder / "rules.toml").exists():
            book = load_book(folder / "rules.toml")
            found[name] = book
            found |= dict.fromkeys(book.providers, book)
    return found


def rules_for(place: str, kind: Kind) -> Rules | None:
    """The rules of a provider, or of one of its formats by name; None where none are kept.

    Raises:
        UsageError: where the vendor takes no examples of this kind.
    """
    book = books().get(place)
    if book is None:
        return None
    for name in (place,) if place in book.formats else book.formats:
        if kind in load(name).kinds:
            return Rules(book, load(name), kind)
    raise UsageError(
        f"{place} takes no {kind} examples",
        hint=f"it takes: {', '.join(sorted({k for n in book.formats for k in load(n).kinds}))}",
        where="kind",
    )


def faults(dataset: Dataset, place: str) -> Iterator[BadLine]:
    """What a provider would reject, by line, before anything is uploaded.

    Lines that are bad anyway are left out: ``Dataset.read`` names them.

    Raises:
        UsageError: where no rules are kept for the place, or it takes no such examples.
    """
    rules = rules_for(place, dataset.kind)
    if rules is None:
        known = sorted(books())
        raise UsageError(
            f"no rules are kept for `{place}`", hint=f"known: {', '.join(known)}", where="provider"
        )
    for item in dataset.read():
        if isinstance(item, BadLine):
            continue
        try:
            made = rules.format.encode(item.example)
        except DataError as error:
            yield BadLine(item.line, error.message)
            continue
        yield from rules.look(item.line, item.example, made)
    yield from rules.finish()
