"""What each vendor would reject is named by line before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Dataset
from ftbridge.dataset.formats import load
from ftbridge.dataset.vendor_rules import books, faults, rules_for
from ftbridge.errors import UsageError

USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
GOOD = {"messages": [USER, ANSWER]}


def _file(tmp_path: Path, *odd: Any, fill: Any = GOOD, rows: int = 12) -> Dataset:
    lines = [*odd, *[fill] * (rows - len(odd))]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Dataset(path)


def _tool(name: str, schema: Any) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def test_each_rule_has_a_source_and_a_date() -> None:
    for book in books().values():
        assert set(book.formats) <= set(books())
        for rule in book.rule:
            assert rule.source and rule.as_of.year >= 2026


@pytest.mark.parametrize("place", sorted(books()))
def test_good_files_pass(tmp_path: Path, place: str) -> None:
    if place == "bedrock-rft":
        reward = {"messages": [USER], "reference": "a"}
        assert not list(faults(_file(tmp_path, fill=reward, rows=100), place))
        few = list(faults(_file(tmp_path, fill=reward, rows=99), place))
        assert "at least 100" in few[0].message
    else:
        fill = {"text": "a"} if place == "bedrock-text" else GOOD
        assert not list(faults(_file(tmp_path, fill=fill), place))


CALL = {"id": "call_1", "type": "function", "function": {"name": "a.b", "arguments": "{}"}}
CASES = [
    ("openai", {**GOOD, "tools": [_tool("a.b", {"type": "object"})]}, "function names"),
    ("openai", {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}]}, "function names"),
    ("openai", {**GOOD, "tools": [_tool("f", {"type": "dict"})]}, "parameters.type"),
    (
        "azure_openai",
        {
            **GOOD,
            "tools": [_tool("f", {"type": "object", "properties": {"{x}": {"type": "float"}}})],
        },
        "parameters.properties.{x}.type",
    ),
    ("together", {"messages": [USER, USER, ANSWER]}, "by turns"),
    ("together", {"messages": [ANSWER, USER, ANSWER]}, "by turns"),
    (
        "together",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}],
                },
                ANSWER,
            ]
        },
        "data URLs",
    ),
    ("mistral", {"messages": [USER, ANSWER, ANSWER]}, "by turns"),
    ("bedrock-nova", {"messages": [{"role": "user", "content": "User: hi"}, ANSWER]}, "reserves"),
    ("bedrock-claude", {"messages": [ANSWER, USER, ANSWER]}, "by turns"),
    ("bedrock-llama", {"messages": [ANSWER, USER, ANSWER]}, "user"),
    ("vertex", {**GOOD, "tools": [_tool("9x", {"type": "object"})]}, "function names"),
    ("vertex", {**GOOD, "tools": [_tool("f", {"type": "tuple"})]}, "JSON Schema"),
    (
        "gemini",
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "tool_calls": [{**CALL, "function": {"name": "f", "arguments": '"{}"'}}],
                },
            ]
        },
        "twice",
    ),
]


@pytest.mark.parametrize(("place", "line", "said"), CASES)
def test_a_bad_line_is_named(tmp_path: Path, place: str, line: Any, said: str) -> None:
    found = list(faults(_file(tmp_path, GOOD, line), place))
    assert [bad.line for bad in found] == [2]
    assert said in found[0].message and "`" in found[0].message and "; " in found[0].message


def test_files_that_are_too_small(tmp_path: Path) -> None:
    for place, least in (("openai", 10), ("fireworks", 3)):
        (bad,) = faults(_file(tmp_path, rows=least - 1), place)
        assert f"at least {least}" in bad.message
        assert not list(faults(_file(tmp_path, rows=least), place))


def test_files_lines_and_examples_that_are_too_large(tmp_path: Path) -> None:
    dataset = _file(tmp_path)
    rules = rules_for("vertex", dataset.kind)
    assert rules is not None
    made = load("gemini").encode(next(dataset.examples()).example)
    (bad,) = rules.look(7, next(dataset.examples()).example, made, tokens=131_073)
    assert bad.line == 7 and "tokens" in bad.message
    rules.bytes = 1 << 31
    assert "bytes" in next(rules.finish()).message
    rules.bytes, rules.examples = 0, 10**7
    assert "at most" in next(rules.finish()).message


def test_preference_rules(tmp_path: Path) -> None:
    image = [{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]
    pair = {"prompt": [USER], "chosen": [ANSWER], "rejected": [ANSWER]}
    seen = {**pair, "prompt": [{"role": "user", "content": image}]}
    long = {**pair, "chosen": [ANSWER, USER, ANSWER]}
    for place in ("openai", "fireworks", "together"):
        found = list(faults(_file(tmp_path, long, fill=pair), place))
        assert found[0].line == 1 and "1 answer turn" in found[0].message
    assert "no images" in next(faults(_file(tmp_path, seen, fill=pair), "openai")).message


def test_kinds_and_places_that_do_not_fit(tmp_path: Path) -> None:
    text = _file(tmp_path, fill={"text": "x"})
    with pytest.raises(UsageError, match="takes no text"):
        list(faults(text, "openai"))
    with pytest.raises(UsageError, match="no rules"):
        list(faults(text, "nowhere"))
    assert rules_for("local", text.kind) is None
