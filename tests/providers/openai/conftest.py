"""What the tests of OpenAI's adapter share: data of each kind, and a grader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

GRADER: dict[str, Any] = {
    "type": "string_check", "name": "same", "operation": "ilike",
    "input": "{{sample.output_text}}", "reference": "{{item.reference}}",
}  # fmt: skip


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A dozen preferences."""
    return _write(tmp_path / "pairs.jsonl", [
        {"prompt": [{"role": "user", "content": f"what is {n} + {n}?"}],
         "chosen": [{"role": "assistant", "content": f"{2 * n}"}],
         "rejected": [{"role": "assistant", "content": "no idea"}]}
        for n in range(12)
    ])  # fmt: skip


@pytest.fixture
def rewards(tmp_path: Path) -> Path:
    """A dozen prompts with their references."""
    return _write(tmp_path / "rewards.jsonl", [
        {"messages": [{"role": "user", "content": f"what is {n} + {n}?"}],
         "reference": f"{2 * n}", "level": n}
        for n in range(12)
    ])  # fmt: skip


@pytest.fixture
def grader(tmp_path: Path) -> Path:
    """A grader in a file."""
    path = tmp_path / "grader.json"
    path.write_text(json.dumps(GRADER))
    return path
