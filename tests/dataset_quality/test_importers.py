"""Logged calls become chats; what is not understood is an error, not a loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import BadLine, Dataset
from ftbridge.dataset.formats.canonical import decode_as
from ftbridge.dataset.formats.format import Format
from ftbridge.dataset.importers.langfuse import FORMAT as LANGFUSE
from ftbridge.dataset.importers.langsmith import FORMAT as LANGSMITH
from ftbridge.dataset.importers.stored_completions import FORMAT as STORED
from ftbridge.dataset.types import Kind
from ftbridge.errors import DataError

from .rows import chat, write

ASKED = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi?"}]
SAID = {"role": "assistant", "content": "Hello."}
PLAIN = chat("Hi?", "Hello.", "Be kind.")
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def _lc(name: str, **kwargs: Any) -> dict[str, Any]:
    path = ["langchain_core", "messages", name]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}


LC = [[_lc("SystemMessage", content="Be kind."), _lc("HumanMessage", content="Hi?")]]
GENERATED = {"generations": [[{"text": "Hello.", "message": _lc("AIMessage", content="Hello.")}]]}

CASES: list[tuple[Format, dict[str, Any], dict[str, Any]]] = [
    (
        STORED,
        {"object": "chat.completion", "choices": [{"message": SAID}], "messages": ASKED},
        PLAIN,
    ),
    (
        STORED,
        {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": SAID | {"refusal": None}}],
            "request": {"messages": ASKED, "tools": [TOOL]},
            "metadata": {"conversation_id": "c1"},
        },
        PLAIN | {"tools": [TOOL], "metadata": {"group": "c1"}},
    ),
    (
        LANGFUSE,
        {
            "type": "GENERATION",
            "trace_id": "t",
            "session_id": "s",
            "input": json.dumps(ASKED),
            "output": json.dumps(SAID),
        },
        PLAIN | {"metadata": {"group": "s"}},
    ),
    (
        LANGFUSE,
        {"traceId": "t", "input": {"messages": ASKED, "tools": [TOOL]}, "output": "Hello."},
        PLAIN | {"tools": [TOOL], "metadata": {"group": "t"}},
    ),
    (LANGSMITH, {"run_type": "llm", "inputs": {"messages": LC}, "outputs": GENERATED}, PLAIN),
    (
        LANGSMITH,
        {"inputs": {"messages": ASKED}, "outputs": {"choices": [{"message": SAID}]}},
        PLAIN,
    ),
    (
        LANGSMITH,
        {
            "trace_id": "t",
            "inputs": {"question": "Hi?"},
            "outputs": {"output": {"type": "ai", "content": "Hello."}},
        },
        chat("Hi?", "Hello.", metadata={"group": "t"}),
    ),
]


@pytest.mark.parametrize(("form", "record", "wanted"), CASES)
def test_a_logged_call_is_a_chat(form: Format, record: Any, wanted: Any) -> None:
    assert form.looks_like(record)
    assert form.decode(json.dumps(record).encode()) == decode_as(
        Kind.CHAT, json.dumps(wanted, separators=(",", ":")).encode()
    )


def test_arguments_are_kept_as_text_and_objects_become_text() -> None:
    exact = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a" :1}'}}
    answers = {
        '{"a" :1}': _lc("AIMessage", content="", additional_kwargs={"tool_calls": [exact]}),
        '{"a":1}': _lc("AIMessage", content="", tool_calls=[{"name": "f", "args": {"a": 1}}]),
    }
    for wanted, answer in answers.items():
        record = {"inputs": {"messages": ASKED}, "outputs": {"output": answer}}
        example = LANGSMITH.decode(json.dumps(record).encode())
        assert example.messages[-1].tool_calls[0].function.arguments == wanted
        assert example.messages[-1].content is None


@pytest.mark.parametrize(
    ("form", "record"),
    [
        (LANGFUSE, {"type": "SPAN", "trace_id": "t", "input": "a", "output": "b"}),
        (LANGFUSE, {"type": "GENERATION", "trace_id": "t", "input": None, "output": "b"}),
        (LANGSMITH, {"run_type": "tool", "inputs": {"a": "b"}, "outputs": {"c": "d"}}),
        (LANGSMITH, {"inputs": {"a": 1, "b": 2}, "outputs": {"c": "d"}}),
        (LANGSMITH, {"inputs": {"messages": ASKED}, "outputs": {"output": ASKED}}),
        (LANGSMITH, {"inputs": {"messages": [{"role": "robot"}]}, "outputs": {"c": "d"}}),
        (STORED, {"object": "chat.completion", "choices": [], "messages": ASKED}),
        (STORED, ["no object"]),
    ],
)
def test_what_is_not_understood_is_an_error(form: Format, record: Any) -> None:
    with pytest.raises(DataError):
        form.decode(json.dumps(record).encode())


def test_a_log_is_not_written() -> None:
    example = decode_as(Kind.CHAT, json.dumps(PLAIN).encode())
    with pytest.raises(DataError, match="read and not written"):
        LANGFUSE.encode(example)


@pytest.mark.parametrize("name", ["stored-completions", "langfuse", "langsmith"])
def test_a_file_is_detected_and_bad_records_have_their_line(name: str, tmp_path: Path) -> None:
    rows = [record for form, record, _ in CASES if form.name == name]
    rows.insert(1, {"type": "SPAN", "run_type": "tool", "input": "a", "inputs": {"a": "b"}})
    items = list(Dataset(write(tmp_path / "a.jsonl", rows), form=name).read())
    assert [item.line for item in items if isinstance(item, BadLine)] == [2]
    guessed = Dataset(write(tmp_path / "b.jsonl", rows[:1]))
    assert guessed.format.name == name and guessed.kind is Kind.CHAT


def test_a_plain_log_comes_through_a_mapping(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"q": "Hi?", "a": "Hello.", "thread": 7}])
    data = Dataset(path, mapping=["user=q", "assistant=a", "metadata.group=thread"])
    assert [item.example.metadata for item in data.examples()] == [{"group": 7}]
