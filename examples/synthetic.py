"""Rows made of phrases: none near another, half the phrases kept for the held-out side.

What these make is invented. It shows how a task of this shape is set up and measured; a model that
is good at it has learnt the phrases here, and nothing about patients, contracts or companies.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

MAX_JACCARD = 0.5
"""Rows whose sets of two-word shingles share more are near-duplicates."""
TRIES = 4000

Made = tuple[str, str, dict[str, Any]]
"""What is asked, what is answered, and metadata."""


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Pairs of neighbouring words, lower case; punctuation is no difference."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(pairwise(words))


def distinct(make: Callable[[], Made], wanted: int, known: list[frozenset[Any]]) -> list[Made]:
    """So many rows of ``make``, each unlike all that are known, which they are added to.

    Raises:
        SystemExit: where the phrases do not suffice.
    """
    found: list[Made] = []
    for _ in range(TRIES):
        row = make()
        mine = shingles(row[0])
        if all(len(mine & k) <= MAX_JACCARD * len(mine | k) for k in known):
            found.append(row)
            known.append(mine)
            if len(found) == wanted:
                return found
    raise SystemExit(f"only {len(found)} of {wanted} rows are unlike: more phrases are needed")


def halves(phrases: Iterable[str]) -> tuple[list[str], list[str]]:
    """Phrases for training (two of three) and for the held-out side."""
    items = list(phrases)
    return [p for i, p in enumerate(items) if i % 3 != 2], items[2::3]


def write(folder: Path, system: str, sides: dict[str, list[Made]], seed: int) -> None:
    """Write each side as chats, shuffled."""
    rng = random.Random(seed)
    for name, rows in sides.items():
        rng.shuffle(rows)
        lines = [_line(system, row) for row in rows]
        path = folder / f"{name}.jsonl"
        path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _line(system: str, row: Made) -> str:
    asked, answered, metadata = row
    messages = [
        {"role": "system", "content": system},
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answered},
    ]
    example = {"messages": messages, "metadata": {"synthetic": True} | metadata}
    return json.dumps(example, ensure_ascii=False) + "\n"
