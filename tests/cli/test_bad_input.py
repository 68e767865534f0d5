"""Bad data files: FILE:LINE, what is wrong and what to do; exit 3; nothing is written down."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from emulated import Account, write_chats

from .conftest import Ask

GOOD = json.dumps(
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
).encode()
ASKED = b'{"messages": [{"role": "user", "content": "a"}]}'
WIZARD = GOOD.replace(b'"user"', b'"wizard"')
BAD = {
    "not_json": (GOOD + b"\n{nope\n", 2),
    "wrong_role": (GOOD + b"\n" + WIZARD + b"\n", 2),
    "no_assistant": (GOOD + b"\n" + GOOD + b"\n" + ASKED + b"\n", 3),
    "not_utf8": (GOOD + b'\n{"messages": [{"role": "user", "content": "\xff\xfe"}]}\n', 2),
    "empty": (b"", 1),
    "blank_lines": (b"\n\n", 1),
    "a_list": (GOOD + b"\n[1, 2]\n", 2),
    "null_bytes": (GOOD + b"\n\0\0\0\n", 2),
}


def _submit(ask: Ask, path: object, *more: str) -> dict[str, str]:
    answer = ask("submit", path, "--provider", "openai", "--yes", "--json", *more)
    assert answer.code == 3, answer.out
    return {name: str(value) for name, value in answer.error.items()}


def _nothing_happened(vendor: Account, home: Path) -> None:
    assert not (home / "ledger.db").exists()
    assert vendor.store.requests == []


@pytest.mark.parametrize("name", BAD)
def test_bad_content(
    name: str, ask: Ask, tmp_path: Path, vendor: Account, closed_world: Path
) -> None:
    content, line = BAD[name]
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    error = _submit(ask, path)
    assert re.match(rf"{re.escape(str(path))}:{line}: .*; .+", error["message"]), error
    assert error["hint"]
    assert error["where"].startswith(str(path))
    for command in (("check", path), ("compare", path), ("plan", path, "--provider", "local")):
        answer = ask(*command)
        assert answer.code == 3
        assert f"{path}:{line}: " in answer.out + answer.err
    told = ask("check", path, "--json").json
    assert told.get("error") or [bad["line"] for bad in told["errors"]] == [line]
    _nothing_happened(vendor, closed_world)


def test_missing_file_and_directory(
    ask: Ask, tmp_path: Path, vendor: Account, closed_world: Path
) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        error = _submit(ask, path)
        assert str(path) in error["message"]
        assert error["hint"]
        assert ask("check", path).code == 3
    _nothing_happened(vendor, closed_world)


def test_a_line_of_100_mb(ask: Ask, tmp_path: Path, vendor: Account, closed_world: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as stream:
        stream.write(GOOD + b"\n")
        stream.writelines(b"x" * 1_000_000 for _ in range(100))
    error = _submit(ask, path)
    assert re.match(rf"{re.escape(str(path))}:2: .*; .+", error["message"][:500])
    assert len(error["message"]) < 1000
    _nothing_happened(vendor, closed_world)


def test_a_bad_validation_file(
    ask: Ask, data: Path, tmp_path: Path, vendor: Account, closed_world: Path
) -> None:
    path = tmp_path / "val.jsonl"
    path.write_bytes(BAD["not_json"][0])
    assert f"{path}:2: " in _submit(ask, data, "--validation", str(path))["message"]
    _submit(ask, data, "--validation", str(tmp_path / "missing.jsonl"))
    _nothing_happened(vendor, closed_world)


def test_all_bad_lines_are_counted_and_some_shown(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_bytes(GOOD + b"\n" + b"{nope\n" * 50)
    answer = ask("check", path, "--max-errors", 3, "--json")
    assert answer.code == 3
    assert [bad["line"] for bad in answer.json["errors"]] == [2, 3, 4]
    assert answer.json["error_count"] == 50


def test_what_the_vendor_rejects_is_named_before_anything_is_sent(
    ask: Ask, tmp_path: Path, vendor: Account, closed_world: Path
) -> None:
    path = write_chats(tmp_path / "few.jsonl", count=4)
    assert "10" in _submit(ask, path)["message"]
    _nothing_happened(vendor, closed_world)


def test_messages_carry_no_training_text(ask: Ask, tmp_path: Path, vendor: Account) -> None:
    path = tmp_path / "secret.jsonl"
    row = json.loads(GOOD)
    row["messages"][0] |= {"role": "wizzard", "content": "hunter2-is-private"}
    path.write_text(json.dumps(row) + "\n" + '{"messages": "hunter2-is-private"\n')
    answer = ask("submit", path, "--provider", "openai", "--yes")
    assert answer.code == 3
    assert "hunter2" not in answer.out + answer.err


def test_a_refused_loss_is_in_the_document(
    ask: Ask, tmp_path: Path, vendor: Account, closed_world: Path
) -> None:
    path = tmp_path / "weights.jsonl"
    turns: list[dict[str, object]] = [{"role": "user", "content": "a"}]
    turns += [{"role": "assistant", "content": "b", "weight": 0}, turns[0]]
    turns += [{"role": "assistant", "content": "c"}]
    path.write_text(GOOD.decode() + "\n" + json.dumps({"messages": turns}) + "\n")
    said = ask("convert", path, "--to", "gemini", "-o", tmp_path / "out.jsonl", "--json")
    assert said.code == 3 and said.error["code"] == "lossy"
    (lost,) = said.json["losses"]
    assert (lost["code"], lost["count"], lost["lines"]) == ("weight_dropped", 1, [2])
    assert not (tmp_path / "out.jsonl").exists()
    path.write_text(json.dumps({"text": "a"}) + "\n")
    assert "losses" not in ask("convert", path, "--to", "openai", "-o", path, "--json").json
    _nothing_happened(vendor, closed_world)
