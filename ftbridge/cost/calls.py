"""How long the calls of a task are, read off its examples: what is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from ftbridge.dataset import Dataset
from ftbridge.dataset.types import (
    Chat,
    Example,
    Message,
    Preference,
    Reward,
    Text,
    prompt_of,
    text_of,
    tools_of,
)
from ftbridge.errors import UsageError

SAMPLE = 1000
"""Examples that are counted, spread evenly over the file."""

Sizes = Callable[[Sequence[Example]], Sequence[int]]
"""The expected tokens of each example."""


class CallSize(NamedTuple):
    """Mean tokens of a call. ``answer`` is None where the data hold no answers."""

    prompt: Decimal
    answer: Decimal | None
    examples: int


def measure(dataset: Dataset, sizes: Sizes) -> CallSize:
    """The mean size of the data's own prompts and last answers.

    Raises:
        DataError: where the file is bad.
        UsageError: where the data hold no calls (plain text).
    """
    sample = _spread(example for _, example in dataset.examples())
    if not sample or any(isinstance(example, Text) for example in sample):
        raise UsageError(
            "plain text shows no calls, so their size cannot be measured",
            hint="say it with --input-tokens and --output-tokens",
            where="input_tokens",
        )
    prompts = sizes([_prompt(example) for example in sample])
    answers = [text for text in map(_answer, sample) if text is not None]
    spoken = [Text(text=text) for text in answers if text]
    counted = sum(sizes(spoken)) if spoken else 0
    return CallSize(
        _mean(sum(prompts), len(sample)),
        _mean(counted, len(answers)) if answers else None,
        len(sample),
    )


def _mean(total: int, count: int) -> Decimal:
    return (Decimal(total) / count).quantize(Decimal("0.1"))


def _spread(examples: Iterable[Example]) -> list[Example]:
    """Up to twice ``SAMPLE`` examples: every n-th, n doubling as the file turns out longer."""
    kept: list[Example] = []
    step = 1
    for number, example in enumerate(examples):
        if number % step == 0:
            kept.append(example)
        if len(kept) == 2 * SAMPLE:
            kept, step = kept[::2], step * 2
    return kept


def _prompt(example: Example) -> Example:
    messages = prompt_of(example) or [Message(role="user", content="")]
    return Chat(messages=messages, tools=tools_of(example) or None)


def _answer(example: Example) -> str | None:
    """The text that the model writes, its tool calls included; None where there is none."""
    if isinstance(example, Reward | Text):
        return None
    turns = example.chosen if isinstance(example, Preference) else example.messages[-1:]
    calls = [call.function for turn in turns for call in turn.tool_calls or ()]
    return "".join([*map(text_of, turns), *(call.name + call.arguments for call in calls)])
