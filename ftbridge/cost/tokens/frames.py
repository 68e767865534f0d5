"""What stands around the texts: frames are rendered first, then counted.

A frame turns an example into the texts between the special tokens, each of which the vocabulary
cuts alone, and the number of special tokens. ``counted`` is for vendors that bill a number a
message; the others are the chat templates of model families (:mod:`templates`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ftbridge.catalogue import TokenRule
from ftbridge.cost.tokens.pieces import S, Template, compact_tools
from ftbridge.cost.tokens.templates import TEMPLATES
from ftbridge.dataset.types import Example, Message, Preference, Text, messages_of, text_of


class Frame(NamedTuple):
    """How an example is rendered.

    ``render`` appends the texts to its second argument and returns the number of special tokens
    and the text of the tools. That one is counted for itself, once a distinct text, and added to
    the example only where ``apart``: elsewhere it is part of one of the texts already.
    """

    render: Callable[[Example, list[str]], tuple[int, str]]
    apart: bool


def frame_of(rule: TokenRule) -> Frame:
    """The frame that a rule names.

    Raises:
        ValueError: for a name that there is none of; a catalogue with one is our bug.
    """
    if rule.frame == "counted":
        return Frame(_counted(rule.per_message, rule.per_example), apart=True)
    if rule.frame not in TEMPLATES:
        raise ValueError(f"no frame is called {rule.frame}; known: counted, {', '.join(TEMPLATES)}")
    return Frame(_templated(TEMPLATES[rule.frame]), apart=False)


def _counted(per_message: int, per_example: int) -> Callable[[Example, list[str]], tuple[int, str]]:
    """So many tokens a message and an example; names, calls and tools as their text."""

    def render(example: Example, texts: list[str]) -> tuple[int, str]:
        if isinstance(example, Text):
            texts.append(example.text)
            return per_example, ""
        messages = messages_of(example)
        for message in messages:
            content = message.content
            texts.append(content if type(content) is str else text_of(message))
            if message.name:
                texts.append(message.name)
            if message.tool_calls:
                for call in message.tool_calls:
                    texts += (call.function.name, call.function.arguments)
        tools = compact_tools(example.tools) if example.tools else ""
        return per_message * len(messages) + per_example, tools

    return render


def _templated(template: Template) -> Callable[[Example, list[str]], tuple[int, str]]:
    """A conversation as the template writes it; a preference is two that share their prompt."""

    def render(example: Example, texts: list[str]) -> tuple[int, str]:
        if isinstance(example, Text):
            return _split(template.text(example.text.replace(S, "\1")), texts), ""
        tools = template.tools(example.tools) if example.tools else ""
        return sum(
            _split(template.render(messages, tools), texts) for messages in _dialogues(example)
        ), tools.replace(S, "")

    return render


def _dialogues(example: Example) -> Sequence[list[Message]]:
    if isinstance(example, Preference):
        return [[*example.prompt, *example.chosen], [*example.prompt, *example.rejected]]
    return [messages_of(example)]


def _split(rendered: str, texts: list[str]) -> int:
    """Append the texts between the special tokens; return how many those are."""
    pieces = rendered.split(S)
    texts.extend(filter(None, pieces))
    return len(pieces) - 1
