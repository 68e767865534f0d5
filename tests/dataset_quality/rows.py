"""Small data sets for the quality tests."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ftbridge.dataset import CheckReport, Dataset, check

WORDS = (  # noqa: SIM905
    "order report customer invoice model account server value price shipping question answer "
    "update network request response python function return simple example system policy refund "
    "delivery address confirm month contract payment schedule review team manager budget quarter "
    "revenue margin latency cache index query table column filter token batch epoch learning rate"
).split()


def prose(source: random.Random, words: int) -> str:
    """Words that end like a sentence."""
    return "The " + " ".join(source.choices(WORDS, k=words)) + "."


def chat(user: str, assistant: str, system: str = "", **more: Any) -> dict[str, Any]:
    """A chat of one exchange."""
    first = [{"role": "system", "content": system}] if system else []
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return {"messages": first + turns, **more}


def clean(count: int = 220, seed: int = 1, system: str = "Be brief and kind.") -> list[Any]:
    """Chats with which nothing is wrong."""
    source = random.Random(seed)
    return [
        chat(prose(source, source.randint(12, 30)), prose(source, source.randint(20, 60)), system)
        for _ in range(count)
    ]


def write(path: Path, rows: Iterable[Any]) -> Path:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def checked(path: Path, rows: Iterable[Any], **options: Any) -> CheckReport:
    """The report on these rows."""
    return check(Dataset(write(path, rows)), **options)


def codes(report: CheckReport) -> dict[str, int]:
    """Each finding's count by its code."""
    return {warning.code: warning.count for warning in report.warnings}
