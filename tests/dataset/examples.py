"""Hypothesis strategies for good examples of every kind."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET, Raw

from ftbridge.dataset.types import (
    Chat,
    Function,
    FunctionCall,
    ImagePart,
    ImageUrl,
    Kind,
    Message,
    Preference,
    Reward,
    Text,
    TextPart,
    Tool,
    ToolCall,
)

# Astral, right-to-left, combining, controls, line separators; no lone surrogates (rejected).
characters = st.one_of(
    st.sampled_from('ab \n\t"\\{}<>&é🙂𝕏שלוםمرحبا\u0301\u2028\u0000\u202eไทยతె字'),
    st.characters(exclude_categories=["Cs"]),
)
texts = st.text(characters, max_size=12)
filled = st.text(characters, min_size=1, max_size=12)
names = st.text("abcXYZ019_-.", min_size=1, max_size=8)
integers = st.one_of(st.integers(), st.integers(min_value=10**25, max_value=10**30))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), integers, filled),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=4,
)


@st.composite
def json_text(draw: Any, inner: st.SearchStrategy[Any]) -> str:
    """JSON in one of the ways in which people write it."""
    ascii_only = draw(st.booleans())
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", " : ")]))
    return json.dumps(draw(inner), ensure_ascii=ascii_only, separators=separators)


objects = json_text(st.dictionaries(texts, values, max_size=3))
raws = st.builds(lambda text: Raw(text.encode()), objects)
images = st.builds(
    lambda url, detail: ImagePart(ImageUrl(url, detail)),
    st.sampled_from(
        ["https://example.org/a.png", "data:image/png;base64,iVBORw0K", "s3://bucket/b.jpeg"]
    ),
    st.sampled_from([None, "auto", "low"]),
)


def contents(rich: bool) -> st.SearchStrategy[Any]:
    """Text, and if ``rich`` also parts with images."""
    if not rich:
        return texts
    parts = st.one_of(st.builds(TextPart, texts), images)
    return st.one_of(texts, st.lists(parts, min_size=1, max_size=3))


functions = st.builds(
    Function,
    names,
    st.none() | texts,
    st.one_of(st.just(UNSET), raws),
    st.sampled_from([None, True, False]),
)
tools = st.none() | st.lists(st.builds(Tool, functions), min_size=1, max_size=2)
names_or_none = st.sampled_from([None, None, "ann"])
weights = st.sampled_from([None, None, 0, 1])


@st.composite
def conversations(draw: Any, rich: bool, ends: str) -> list[Message]:
    """Turns that follow our rules and end with ``ends``."""

    def name() -> str | None:
        return draw(names_or_none) if rich else None

    turns = []
    if draw(st.booleans()):
        turns.append(Message("system", draw(texts), name()))
    for _ in range(draw(st.integers(1, 3))):
        turns.append(Message("user", draw(contents(rich)), name()))
        if rich and draw(st.booleans()):
            turns += draw(calls_and_results(len(turns)))
        weight = draw(weights) if rich else None
        turns.append(Message("assistant", draw(texts), name(), weight=weight))
    if ends == "user":
        turns.append(Message("user", draw(contents(rich))))
    else:
        turns[-1].weight = draw(st.sampled_from([None, 1])) if rich else None
    return turns


@st.composite
def calls_and_results(draw: Any, start: int) -> list[Message]:
    """An assistant turn with calls and a result for some of them, ids ours or foreign."""
    prefix = draw(st.sampled_from(["call_", "TX92Jm8Zi", "x"]))
    count = draw(st.integers(1, 2))
    first = start * 10 if prefix != "call_" else draw(st.sampled_from([0, start * 10]))
    calls = [
        ToolCall(FunctionCall(draw(names), draw(objects)), f"{prefix}{first + i}")
        for i in range(count)
    ]
    turns = [Message("assistant", draw(st.none() | texts), tool_calls=calls)]
    for call in draw(st.permutations(calls)):
        turns.append(Message("tool", draw(texts | objects), tool_call_id=call.id))
    return turns


@st.composite
def examples(draw: Any, kind: Kind, rich: bool = True) -> Any:
    """A good example; a poor one holds nothing that any format would lose."""
    if kind is Kind.TEXT:
        return Text(draw(filled.filter(str.strip)))
    settings = {
        "tools": draw(tools),
        "parallel_tool_calls": draw(st.sampled_from([None, True, False])),
    }
    if not rich:
        settings = {}
    if kind is Kind.CHAT:
        return Chat(draw(conversations(rich, "assistant")), **settings)
    if kind is Kind.REWARD:
        extra = draw(st.dictionaries(st.sampled_from(["rubric", "id", "größe"]), raws, max_size=2))
        reference = draw(st.one_of(st.just(UNSET), raws))
        return Reward(draw(conversations(rich, "user")), reference, extra=extra, **settings)
    answers = [[Message("assistant", draw(texts))] for _ in range(2)]
    return Preference(draw(conversations(rich, "user")), *answers, **settings)
