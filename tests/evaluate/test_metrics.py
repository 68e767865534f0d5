"""Each metric against hand-made cases, and against the field's own implementations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ftbridge
from ftbridge.evaluate.metrics import METRICS, Settings, load
from ftbridge.evaluate.metrics.structured import NOTHING, f1, parsed
from ftbridge.evaluate.metrics.text import last_number, normalized
from ftbridge.evaluate.rows import Row
from ftbridge.provider import ChatReply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def row(reference: str = "", *calls: dict[str, Any]) -> Row:
    return Row(1, ({"role": "user", "content": "q"},), None, reference, calls, b"")


def score(name: str, reference: str, answer: str, **settings: Any) -> float:
    return load(name, Settings(**settings)).score(row(reference), ChatReply(answer))


@pytest.mark.parametrize(
    ("name", "reference", "answer", "wanted"),
    [
        ("exact_match", "card_arrival", " card_arrival\n", 1),
        ("exact_match", "card_arrival", "Card_arrival", 0),
        ("normalized_match", "The Cat!", "cat", 1),
        ("normalized_match", "Straße", "STRASSE", 1),
        ("normalized_match", "a cat", "a dog", 0),
        ("number_match", "so 16 - 3 = 13 #### 1,013", "The answer is 1013.", 1),
        ("number_match", "#### 18", "18 eggs, 3 left", 0),
        ("number_match", "#### 18", "#### $18.00 for 3", 1),
        ("number_match", "#### -2.5", "it is -2.50", 1),
        ("number_match", "none at all", "none at all", 0),
        ("number_match", "#### 3", "", 0),
        ("json_valid", "", '{"a": 1}', 1),
        ("json_valid", "", '```json\n{"a": 1}\n```', 1),
        ("json_valid", "", '{"a": NaN}', 0),
        ("json_valid", "", "Sure! {}", 0),
        ("field_f1", '{"a": 1, "b": {"c": "x"}}', '{"b": {"c": " x "}, "a": 1.0}', 1),
        ("field_f1", '{"a": 1, "b": 2}', '{"a": 1, "b": 3}', 0.5),
        ("field_f1", '{"a": [1, 2]}', '{"a": [2, 1]}', 1),
        ("field_f1", '{"a": [1, 2]}', '{"a": [1]}', 2 / 3),
        ("field_f1", '{"a": []}', '{"a": null}', 0),
        ("field_f1", '{"a": 1}', "no json", 0),
        ("field_f1", '{"a": true}', '{"a": 1}', 0),
    ],
)
def test_scores(name: str, reference: str, answer: str, wanted: float) -> None:
    assert score(name, reference, answer) == pytest.approx(wanted)


def test_a_metric_names_all_that_it_is_in_the_help() -> None:
    from ftbridge.cli.eval_ import command

    told = next(option for option in command.params if option.name == "metrics")
    assert all(name in str(getattr(told, "help", "")) for name in METRICS)


def test_regex_compares_its_first_group() -> None:
    assert score("regex", "Total: 12 EUR", "total 12 EUR", pattern=r"(\d+) EUR") == 1
    assert score("regex", "Total: 12 EUR", "13 EUR", pattern=r"(\d+) EUR") == 0
    assert score("regex", "none", "none", pattern=r"\d+") == 0
    for bad in (None, "("):
        with pytest.raises(ftbridge.UsageError, match=r"regex needs|no regular expression"):
            load("regex", Settings(pattern=bad))


def test_schema(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"type": "object", "required": ["a"]}))
    assert score("schema_valid", "", '{"a": 1}', schema=schema) == 1
    assert score("schema_valid", "", "{}", schema=schema) == 0
    assert score("schema_valid", "", "nope", schema=schema) == 0
    schema.write_text('{"type": "objekt"}')
    with pytest.raises(ftbridge.UsageError, match="no JSON schema"):
        load("schema_valid", Settings(schema=schema))
    with pytest.raises(ftbridge.UsageError, match="needs a schema"):
        load("schema_valid", Settings())


CALL = {"id": "c", "type": "function",
        "function": {"name": "find", "arguments": '{"a": 1, "b": [2]}'}}  # fmt: skip
OTHER = {"id": "d", "type": "function", "function": {"name": "stop", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("reply", "names", "all_"),
    [
        (ChatReply("", (OTHER, CALL)), 1, 1),
        (ChatReply("", (CALL,)), 0, 0),
        (ChatReply("", (CALL, OTHER, OTHER)), 0, 0),
        (ChatReply('[{"name": "stop"}, {"name": "find", "arguments": {"b": [2], "a": 1}}]'), 1, 1),
        (
            ChatReply(
                '<tool_call>\n{"name": "find", "arguments": {"a": 2}}\n</tool_call>'
                '<tool_call>{"name": "stop", "parameters": {}}</tool_call>'
            ),
            1,
            0,
        ),
        (ChatReply("I will find it."), 0, 0),
        (ChatReply('<tool_call>{"name": 3}</tool_call>'), 0, 0),
    ],
)
def test_tool_calls(reply: ChatReply, names: float, all_: float) -> None:
    asked = row("", CALL, OTHER)
    assert load("tool_name", Settings()).score(asked, reply) == names
    assert load("tool_call", Settings()).score(asked, reply) == all_


def test_overlap_is_the_libraries() -> None:
    import sacrebleu
    from rouge_score import rouge_scorer

    reference, answer = "the cat sat on the mat", "the cats sat on a mat"
    chrf = sacrebleu.sentence_chrf(answer, [reference]).score / 100
    assert score("chrf", reference, answer) == pytest.approx(chrf) and 0 < chrf < 1
    rouge = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=True).score(reference, answer)
    assert score("rouge_l", reference, answer) == pytest.approx(rouge["rougeL"].fmeasure)
    assert score("chrf", reference, reference) == score("rouge_l", reference, reference) == 1


def test_a_function_of_the_users(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "def same(reference, answer, row):\n"
        "    return 0.5 if row['messages'][0]['content'] == 'q' else 0\n"
        "def bad(reference, answer, row):\n    return 'high'\n"
        "value = 3\n"
    )
    assert score(f"{file}:same", "a", "b") == 0.5
    with pytest.raises(ftbridge.UsageError, match="gave str for line 1"):
        score(f"{file}:bad", "a", "b")
    file.write_text("def right(a, b, row) -> bool:\n    return a == b or 0.5\n")
    assert load(f"{file}:right", Settings()).exact and score(f"{file}:right", "a", "a") == 1
    with pytest.raises(ftbridge.UsageError, match="no bool"):
        score(f"{file}:right", "a", "b")
    file.write_text("value = 3\n")
    for name in (f"{file}:none", f"{file}:value", f"{tmp_path}/no.py:f", "no_such_module:f"):
        with pytest.raises(ftbridge.UsageError):
            load(name, Settings())
    with pytest.raises(ftbridge.UsageError, match="no metric"):
        load("perfect", Settings())


@settings(deadline=None)  # a loaded machine says nothing about the code
@given(JSON, JSON)
def test_field_f1_is_a_likeness(left: Any, right: Any) -> None:
    assert f1(left, left) == 1
    assert f1(left, right) == f1(right, left)
    assert 0 <= f1(left, right) <= 1


@settings(deadline=None)
@given(st.text())
def test_any_answer_can_be_judged(text: str) -> None:
    assert normalized(normalized(text)) == normalized(text)
    last_number(text)
    if parsed(text) is not NOTHING:
        json.loads(text.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
    for name in ("exact_match", "normalized_match", "number_match", "json_valid", "tool_call"):
        assert 0 <= score(name, "x", text) <= 1
