"""A plan names what the vendor would reject, before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ftbridge
from ftbridge.errors import DataError, UsageError

USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
CHAT = {"messages": [USER, ANSWER]}


def _file(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def _plan(tmp_path: Path, path: Path | ftbridge.Dataset, **more: Any) -> Any:
    return ftbridge.Bridge(tmp_path / "home").plan(path, provider="openai", **more)


def test_vendor_rules_and_shapes_are_named_by_line(tmp_path: Path) -> None:
    bad = CHAT | {"tools": [{"type": "function", "function": {"name": "a.b"}}]}
    path = _file(tmp_path / "a.jsonl", CHAT, bad)
    with pytest.raises(DataError) as caught:
        _plan(tmp_path, path)
    assert f"{path}:2: `tools[0].function.name`" in caught.value.message
    assert f"{path}:1: 2 examples; openai wants at least 10" in caught.value.message
    assert "--provider openai" in caught.value.hint


def test_the_kind_must_fit_the_method(tmp_path: Path) -> None:
    pair = {"prompt": [USER], "chosen": [ANSWER], "rejected": [ANSWER]}
    path = _file(tmp_path / "a.jsonl", *[pair] * 10)
    with pytest.raises(DataError, match="sft learns from chat or text"):
        _plan(tmp_path, path)


def test_data_that_the_path_alone_does_not_bring_back(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.jsonl", *[{"q": "x", "a": "y"}] * 10)
    mapped = ftbridge.Dataset(path, mapping=["user=q", "assistant=a"])
    with pytest.raises(UsageError) as caught:
        _plan(tmp_path, mapped)
    assert "ftbridge convert" in caught.value.hint


def test_metadata_stays_and_foreign_formats_are_read(tmp_path: Path) -> None:
    alpaca = {"instruction": "q", "input": "", "output": "a"}
    first = _plan(tmp_path, _file(tmp_path / "a.jsonl", *[CHAT | {"metadata": {"x": 1}}] * 10))
    second = _plan(tmp_path, _file(tmp_path / "b.jsonl", *[alpaca] * 10))
    assert first.training.sha256 == second.training.sha256 and not first.losses
