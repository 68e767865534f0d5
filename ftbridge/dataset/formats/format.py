"""What a format is: a pure function from an example to a line, and its inverse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from ftbridge.dataset.types import Example, Kind, kind_of
from ftbridge.errors import DataError


class Converted(NamedTuple):
    """An example in a format, and the codes of what it could not carry (see ``LOSSES``)."""

    line: bytes
    losses: tuple[str, ...] = ()


class Format(ABC):
    """One way to write examples. Objects hold no state and may be shared between threads."""

    name: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]]
    folder: ClassVar[Path | None] = None
    """Where the ``rules.toml`` of its vendor lies."""
    keeps_shape: ClassVar[bool] = False
    """Whether a line without losses decodes to the very example, so that it need not be."""

    @abstractmethod
    def encode(self, example: Example) -> Converted:
        """The example as one line without a line break. Never drops an example.

        Raises:
            DataError: where it cannot be formed at all, naming the field; the caller adds the
                line number.
        """

    @abstractmethod
    def decode(self, line: bytes) -> Example:
        """The inverse of ``encode``.

        Raises:
            DataError: where the line is not of this format, naming the field.
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: as its decoder raises them.
        """

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """Whether a decoded line bears the marks of this format and of no other."""
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process gets its own one object of this name, which is compared by identity.
        return _load, (self.name,)

    def require(self, example: Example) -> Kind:
        """The example's kind, if this format has a shape for it."""
        kind = kind_of(example)
        if kind not in self.kinds:
            raise unformed(
                f"the format {self.name} has no shape for {kind} examples; it takes "
                f"{', '.join(self.kinds)}"
            )
        return kind


def _load(name: str) -> Format:
    from ftbridge.dataset.formats.registry import load

    return load(name)


def unformed(message: str) -> DataError:
    """The error for an example that a format cannot take in any shape."""
    return DataError(message, code="cannot_convert", hint="choose another format")
