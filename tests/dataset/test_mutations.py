"""10,000 spoilt lines: never a traceback, always a line and a field, never waved through."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import BadLine, Dataset
from ftbridge.dataset.formats import load
from ftbridge.dataset.read import Numbered
from ftbridge.dataset.vendor_rules import faults, rules_for
from ftbridge.errors import DataError

TOOL = {"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "get", "arguments": '{"a": 1}'}}
CHAT = {
    "messages": [
        {"role": "system", "content": "SECRET system"},
        {"role": "user", "content": [{"type": "text", "text": "SECRET 🙂"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "SECRET result"},
        {"role": "assistant", "content": "SECRET answer", "weight": 1},
    ],
    "tools": [TOOL],
}
ODD = [None, 5, -1.5, True, "", "robot", [], {}, [None], {"a": []}, 10**40, "\u0000"]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [p for key, inner in items for p in ((*path, key), *_places(inner, (*path, key)))]


def spoilt(r: random.Random) -> bytes:
    """One line with one to three faults: a key gone, doubled or new, a value of another type,
    or bytes cut, swapped or inserted."""
    data = json.loads(json.dumps(CHAT))
    for _ in range(r.randint(0, 2)):
        places = _places(data)
        if not places:
            break
        *path, last = r.choice(places)
        at = data
        for key in path:
            at = at[key]
        kind = r.randrange(3)
        if kind == 0:
            del at[last]
        elif kind == 1 and isinstance(at, dict):
            at[r.choice(["extra", "Role", "role ", "content"])] = r.choice(ODD)
        else:
            at[last] = r.choice(ODD)
    line = bytearray(json.dumps(data, ensure_ascii=r.random() < 0.5).encode())
    for _ in range(r.choice([0, 0, 1, 3])):
        at, kind = r.randrange(len(line)), r.randrange(4)
        if kind == 0:
            del line[at:]
        elif kind == 1:
            line[at] = r.randrange(256)
        elif kind == 2:
            line[at:at] = r.choice([b"\\ud800", b"\xff", b'"', b"}", b"\x00", b"NaN", b"[["])
        else:
            del line[at : at + 5]
        line = line or bytearray(b"{")
    return bytes(line).replace(b"\n", b" ").replace(b"\r", b" ").strip() or b"{"


@pytest.fixture(scope="module")
def mutated(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    r = random.Random(7)
    path = tmp_path_factory.mktemp("mutated") / "a.jsonl"
    with path.open("wb") as stream:
        stream.write(json.dumps(CHAT).encode() + b"\n")
        stream.writelines(spoilt(r) + b"\n" for _ in range(10_000))
    return Dataset(path)


def test_every_bad_line_is_named(mutated: Dataset) -> None:
    items = list(mutated.read())
    assert [item.line for item in items] == list(range(1, 10_002))
    bad = [item for item in items if isinstance(item, BadLine)]
    assert len(bad) > 5_000
    for item in bad:
        assert item.message and "SECRET" not in item.message and "; " in item.message
        assert item.message.startswith(("`", "not JSON", "not UTF-8", "expected", "nested"))
    found = mutated.structure(most=20_000)
    assert found.errors == bad and found.examples == len(items) - len(bad)


def test_what_is_let_through_is_good_for_the_vendor(mutated: Dataset) -> None:
    """Judged by an own reading of OpenAI's rules, on the lines that would be sent."""
    rules = rules_for("openai", mutated.kind)
    assert rules is not None
    good = 0
    for item in mutated.read():
        if isinstance(item, Numbered):
            made = load("openai").encode(item.example)
            if not list(rules.look(item.line, item.example, made)):
                _judge(json.loads(made.line))
                good += 1
    assert good > 100


def _judge(line: Any) -> None:
    assert line.keys() <= {"messages", "tools", "parallel_tool_calls"}
    assert line["messages"] and line["messages"][-1]["role"] == "assistant"
    for message in line["messages"]:
        assert message["role"] in ("system", "user", "assistant", "tool")
        assert message.get("weight") in (None, 0, 1)
        assert isinstance(message.get("content"), str | list | None)
        assert message.get("content") is not None or message["tool_calls"]
        assert message["role"] != "tool" or message["tool_call_id"]
        for call in message.get("tool_calls", ()):
            assert call["id"] and isinstance(call["function"]["arguments"], str)
            assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", call["function"]["name"])
    for tool in line.get("tools", ()):
        assert tool["type"] == "function" and tool["function"]["name"]


@pytest.mark.parametrize(
    "place", ["together", "mistral", "fireworks", "bedrock-nova", "bedrock-claude", "vertex"]
)
def test_no_vendor_stumbles(mutated: Dataset, place: str) -> None:
    for bad in faults(mutated, place):
        assert 1 <= bad.line <= 10_001 and "SECRET" not in bad.message and "`" in bad.message


@pytest.mark.parametrize(
    "name", ["trl", "alpaca", "sharegpt", "prompt-completion", "openai", "gemini", "bedrock-nova",
             "bedrock-claude", "bedrock-llama", "bedrock-rft", "together", "mistral", "fireworks"],
)  # fmt: skip
def test_no_reader_stumbles(name: str, tmp_path: Path) -> None:
    """Each format's own lines, spoilt byte by byte."""
    r = random.Random(name)
    source = Dataset(_lines(tmp_path / "source.jsonl", [CHAT]))
    example = next(source.examples()).example
    form = load(name)
    try:
        line = form.encode(example).line
    except DataError:
        line = json.dumps({"messages": CHAT["messages"][:2], "reference_answer": 1}).encode()
    path = tmp_path / "a.jsonl"
    with path.open("wb") as stream:
        for _ in range(800):
            bytes_ = bytearray(line)
            for _ in range(r.randint(1, 3)):
                at = r.randrange(len(bytes_))
                bytes_[at : at + r.randint(0, 3)] = r.choice(
                    [b"", b"0", b'"', b"}", b"null", b"\xff", b"\\ud8"]
                )
                bytes_ = bytes_ or bytearray(b"{")
            stream.write(bytes(bytes_).replace(b"\n", b" ") + b"\n")
    for item in Dataset(path, form=name).read():
        if isinstance(item, BadLine):
            assert "SECRET" not in item.message


def _lines(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
