"""Counters and files to count."""

from __future__ import annotations

import json
from pathlib import Path

from cost.rows import chats
from ftbridge.catalogue import TokenRule
from ftbridge.cost.tokens import Framed, load
from ftbridge.dataset import Dataset

RULE = TokenRule(vocabulary="o200k_base", per_message=4, per_example=3, source="test")


def framed(name: str = "o200k_base") -> Framed:
    vocabulary = load(name)
    assert vocabulary
    return Framed(vocabulary, RULE)


def written(path: Path, n: int = 300, seed: int = 5) -> Dataset:
    lines = (json.dumps(row, ensure_ascii=False) for row in chats(n, seed))
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return Dataset(path)
