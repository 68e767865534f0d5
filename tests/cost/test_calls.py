"""How long calls are, read off examples of every kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ftbridge.cost import calls
from ftbridge.cost.calls import measure
from ftbridge.cost.use import Use
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Example, Text, messages_of, text_of
from ftbridge.errors import UsageError


def words(examples: Sequence[Example]) -> list[int]:
    """A counter that anybody can follow: words, without any frame."""
    return [
        len(e.text.split()) if isinstance(e, Text)
        else sum(len(text_of(m).split()) for m in messages_of(e))
        for e in examples
    ]  # fmt: skip


def dataset(path: Path, *rows: Any) -> Dataset:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Dataset(path)


def turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def test_the_last_turn_is_the_answer(tmp_path: Path) -> None:
    chat = [turn("system", "be kind"), turn("user", "a b c"), turn("assistant", "one"),
            turn("user", "d"), turn("assistant", "two words")]  # fmt: skip
    found = measure(dataset(tmp_path / "a.jsonl", {"messages": chat}), words)
    assert found == (Decimal(7), Decimal(2), 1)


def test_tool_calls_are_part_of_the_answer(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function",
            "function": {"name": "find", "arguments": '{"a": 1}'}}  # fmt: skip
    chat = [turn("user", "a"), {"role": "assistant", "tool_calls": [call]}]
    found = measure(dataset(tmp_path / "a.jsonl", {"messages": chat}), words)
    assert found.answer == 2


def test_of_preferences_the_better_answer_counts(tmp_path: Path) -> None:
    row = {"prompt": [turn("user", "a b")], "chosen": [turn("assistant", "x y z")],
           "rejected": [turn("assistant", "q")]}  # fmt: skip
    assert measure(dataset(tmp_path / "a.jsonl", row), words) == (Decimal(2), Decimal(3), 1)


def test_rewards_have_no_answer_and_text_has_no_call(tmp_path: Path) -> None:
    row = {"messages": [turn("user", "a b")], "reference": "x"}
    found = measure(dataset(tmp_path / "a.jsonl", row), words)
    assert (found.prompt, found.answer) == (2, None)
    with pytest.raises(UsageError, match="plain text"):
        measure(dataset(tmp_path / "b.jsonl", {"text": "once"}), words)


def test_a_long_file_is_sampled_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "SAMPLE", 10)
    rows = [{"messages": [turn("user", "w " * n), turn("assistant", "x")]} for n in range(1, 201)]
    found = measure(dataset(tmp_path / "a.jsonl", *rows), words)
    assert 10 <= found.examples <= 20
    assert abs(found.prompt - Decimal("100.5")) < 12


def test_a_month_is_thirty_days() -> None:
    use = Use(3, 10, Decimal(1), Decimal(1))
    assert (use.days, use.calls) == (90, 30)
