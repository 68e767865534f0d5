"""Counts for models whose vocabulary nobody ships: another one's, times a measured factor.

Seven modern vocabularies (Llama 3, Qwen 3, DeepSeek V3, tekken, Gemma 3, GLM 4, Kimi K2) were
counted beside o200k on ten groups of text (2026-11-24, 17 MB of prose, code and interface
sentences in 68 languages); factor and band cover what they did. Vocabularies of an older
generation (32,000 pieces) lie above the band outside English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ftbridge.catalogue import TokenRule
from ftbridge.cost.tokens.counts import Counts, batch
from ftbridge.cost.tokens.frames import frame_of
from ftbridge.cost.tokens.vocabulary import Vocabulary
from ftbridge.cost.types import Grade
from ftbridge.dataset.types import Example

BYTES_PER_TOKEN_LOW, BYTES_PER_TOKEN_HIGH = 2.7, 5.9
"""UTF-8 bytes per o200k token between which our samples of prose, code and ten groups of
languages fell (measured 2026-11-24; 5.9 on repetitive English chat, 3.2 on East-European,
lowered by a sixth for other vocabularies)."""

BYTES_PER_TOKEN = 4.2
"""Between English prose (4.5) and Python code (3.9), same measurement."""

FRAME = TokenRule(
    vocabulary="o200k_base",
    per_message=4,
    per_example=3,
    source="assumed: what most chat templates come to (5 a message with Llama 3 and Qwen, 2 with "
    "Mistral and DeepSeek; measured 2026-11-24)",
)


class Factor(NamedTuple):
    """Tokens of a modern vocabulary over those of o200k: expected, and between which bounds."""

    expected: float
    low: float
    high: float


class Table(NamedTuple):
    """Factors by script: English and code, other Latin, Cyrillic and CJK, all others."""

    english: Factor
    european: Factor
    wide: Factor
    other: Factor


MODERN = Table(
    Factor(1.05, 1.05 * 0.95, 1.05 * 1.15),
    Factor(1.12, 1.12 * 0.93, 1.12 * 1.10),
    Factor(1.12, 1.12 * 0.80, 1.12 * 1.25),
    Factor(1.30, 1.30 * 0.75, 1.30 * 2.50),
)
"""Of a model of which nothing is known."""

CLAUDE_3 = Table(
    Factor(1.17, 1.17 * 0.92, 1.17 * 1.10),
    Factor(1.25, 1.25 * 0.92, 1.25 * 1.10),
    Factor(1.42, 1.42 * 0.88, 1.42 * 1.12),
    Factor(2.00, 2.00 * 0.85, 2.00 * 1.25),
)
"""Of Claude 3, where its reconstruction (ctok 1.3.0) was counted on the same texts."""

_LATIN = re.compile("[\u00c0-\u024f]")
_WIDE = re.compile(
    "[\u0400-\u052f\u1e00-\u1eff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]"
)
_PLAIN = re.compile("[\0-\u024f\u2000-\u206f\u20a0-\u20cf]+")


def factor_of(text: str, table: Table = MODERN) -> Factor:
    """The factor for a text, by the scripts that it is written in (weighed by UTF-8 bytes)."""
    if text.isascii():
        return table.english
    plain = sum(map(len, _PLAIN.findall(text)))
    latin = table.european if _LATIN.search(text) else table.english
    wide = len(_WIDE.findall(text))
    other = len(text) - plain - wide
    size = plain + 3 * (wide + other)
    return Factor(
        *(
            (plain * a + 3 * wide * b + 3 * other * c) / size
            for a, b, c in zip(latin, table.wide, table.other, strict=True)
        )
    )


@dataclass(frozen=True)
class StandIn:
    """Counts by another vocabulary, scaled; ``like`` names the model's own, where known."""

    vocabulary: Vocabulary
    like: str = ""
    grade: Grade = "estimated"
    slow: bool = False

    @property
    def name(self) -> str:
        """What people are shown."""
        why = f"no package for {self.like}" if self.like else "no package has the model's own"
        return f"{self.vocabulary.name}, scaled ({why} vocabulary here)"

    @property
    def id(self) -> str:
        """What a kept count depends on."""
        return f"stand-in 1 {self.vocabulary.id} {self.like}"

    def count(self, examples: Sequence[Example]) -> Counts:
        """Each text's tokens by its own factor; the bounds hold for any common frame."""
        return batch(examples, frame_of(FRAME), self._count, loose=True)

    def _count(self, texts: Sequence[str]) -> tuple[list[float], list[float], list[float]]:
        counted = self.vocabulary.count(texts)
        table = CLAUDE_3 if self.like == "claude-3" else MODERN
        factors = [factor_of(text, table) for text in texts]
        expected, low, high = (
            [tokens * factor[at] for tokens, factor in zip(counted, factors, strict=True)]
            for at in range(3)
        )
        return expected, low, high


@dataclass(frozen=True)
class Guess:
    """Bytes over a span of bytes per token: all that is left without any vocabulary."""

    grade: Grade = "estimated"
    slow: bool = False
    id: str = "bytes 1"
    name: str = "bytes (install ftbridge[tokens] for better counts)"

    def count(self, examples: Sequence[Example]) -> Counts:
        """Each text's bytes over bytes per token."""
        return batch(examples, frame_of(FRAME), self._count, loose=True)

    def _count(self, texts: Sequence[str]) -> tuple[list[float], list[float], list[float]]:
        sizes = [len(text) if text.isascii() else len(text.encode()) for text in texts]
        expected, low, high = (
            [size / bytes_per_token for size in sizes]
            for bytes_per_token in (BYTES_PER_TOKEN, BYTES_PER_TOKEN_HIGH, BYTES_PER_TOKEN_LOW)
        )
        return expected, low, high
