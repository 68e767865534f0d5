"""Counting tokens: with the vendor's vocabulary where one is at hand, else an honest guess."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from ftbridge.catalogue import TokenRule
from ftbridge.cost.types import Grade
from ftbridge.dataset.types import Example, Message, Text, messages_of, text_of, tools_of

CountText = Callable[[str], int]

BYTES_PER_TOKEN_LOW, BYTES_PER_TOKEN_HIGH = 2.7, 5.9
"""UTF-8 bytes per o200k token between which our samples of prose, code and ten groups of
languages fell (measured 2026-11-24; 5.9 on repetitive English chat, 3.2 on East-European,
lowered by a sixth for other vocabularies)."""


class Counter(NamedTuple):
    """How one model's tokens are counted; ``low`` and ``high`` are equal if it is no guess."""

    low: Callable[[Example], int]
    high: Callable[[Example], int]
    grade: Grade
    name: str


def counter_for(rule: TokenRule | None, own: Counter | None) -> Counter:
    """The best counter at hand.

    Args:
        rule: the vocabulary and frame that the provider's catalogue names.
        own: a counter of the provider itself, which wins.
    """
    if own is not None:
        return own
    count = _vocabulary(rule.vocabulary) if rule else None
    return framed_counter(count, rule) if rule and count else _guess()


def framed_counter(count: CountText, rule: TokenRule) -> Counter:
    """Exact text by ``count``, plus the frame that the rule assumes around it."""

    def framed(example: Example) -> int:
        if isinstance(example, Text):
            return count(example.text) + rule.per_example
        messages = messages_of(example)
        texts = sum(_tokens(message, count) for message in messages)
        tools = sum(count(_schema_text(tool)) for tool in tools_of(example))
        return texts + tools + rule.per_message * len(messages) + rule.per_example

    return Counter(framed, framed, "exact text, assumed frame", rule.vocabulary)


def count_all(counter: Counter, examples: Iterable[Example]) -> tuple[int, int]:
    """Tokens of all examples, lower and upper bound."""
    low = high = 0
    for example in examples:
        first = counter.low(example)
        low += first
        high += first if counter.high is counter.low else counter.high(example)
    return low, high


def _tokens(message: Message, count: CountText) -> int:
    total = count(text_of(message)) + (count(message.name) if message.name else 0)
    for call in message.tool_calls or ():
        total += count(call.function.name) + count(call.function.arguments)
    return total


def _schema_text(tool: object) -> str:
    import msgspec

    return msgspec.json.encode(tool).decode()


def _guess() -> Counter:
    def size(example: Example) -> int:
        total = len(example.text.encode()) if isinstance(example, Text) else 0
        for message in messages_of(example):
            total += len(text_of(message).encode()) + 20
            for call in message.tool_calls or ():
                total += len(call.function.arguments.encode())
        return total + sum(len(_schema_text(tool)) for tool in tools_of(example))

    return Counter(
        lambda example: int(size(example) / BYTES_PER_TOKEN_HIGH),
        lambda example: int(size(example) / BYTES_PER_TOKEN_LOW) + 1,
        "estimated",
        "bytes (install ftbridge[tokens] for exact counts)",
    )


@cache
def _vocabulary(name: str) -> CountText | None:
    if importlib.util.find_spec("splintr") is None:
        return None
    from splintr import Tokenizer

    tokenizer = Tokenizer.from_pretrained(name)
    return lambda text: len(tokenizer.encode_ordinary(text))
