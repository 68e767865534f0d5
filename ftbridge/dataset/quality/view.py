"""What the judgements see of an example, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ftbridge.dataset.types import Chat, Example, Message, Preference, Text, text_of, tools_of


class View(NamedTuple):
    """The texts of an example by what they are for.

    ``prompt`` is all that the model is given apart from the system text, ``answer`` what it
    should say (the chosen one of a preference, the text itself of a text), ``rejected`` the worse
    answer. ``calls`` tells that the answer calls a tool, ``empty`` that some answer says nothing.
    """

    system: str
    prompt: str
    answer: str
    rejected: str
    calls: bool
    empty: bool


def view(example: Example) -> View:
    """The texts of an example."""
    if isinstance(example, Chat):
        return _conversation(example.messages[:-1], example.messages[-1:])
    if isinstance(example, Preference):
        seen = _conversation(example.prompt, example.chosen)
        rejected = _joined(example.rejected)
        return seen._replace(rejected=rejected, empty=seen.empty or not rejected.strip())
    if isinstance(example, Text):
        return View("", "", example.text, "", False, not example.text.strip())
    return _conversation(example.messages, ())


def group_of(example: Example) -> str | None:
    """The conversation or customer that ``metadata.group`` names, if any."""
    group = (example.metadata or {}).get("group")
    return None if group is None else str(group)


def tool_texts(example: Example) -> list[str]:
    """Each tool that the example offers as one text: name, description, schema."""
    return [
        f"{tool.function.name}\n{tool.function.description or ''}\n"
        + (bytes(tool.function.parameters).decode() if tool.function.parameters else "")
        for tool in tools_of(example)
    ]


def _conversation(prompt: list[Message], answer: list[Message] | tuple[()]) -> View:
    system = ""
    given: list[str] = []
    empty = False
    for message in prompt:
        content = message.content
        text = content if type(content) is str and not message.tool_calls else _said(message)
        if message.role == "system":
            system = text
            continue
        given.append(text)
        if message.role == "assistant" and message.weight != 0 and not text.strip():
            empty = True
    said = _said(answer[0]) if len(answer) == 1 else _joined(answer)
    if answer and not said.strip():
        empty = True
    calls = any(message.tool_calls for message in answer)
    return View(system, "\n".join(given), said, "", calls, empty)


def _joined(messages: Iterable[Message]) -> str:
    return "\n".join([_said(message) for message in messages])


def _said(message: Message) -> str:
    """A turn's text, with its tool calls as ``name arguments`` lines."""
    content = message.content
    text = content if isinstance(content, str) else text_of(message)
    if not message.tool_calls:
        return text
    calls = [f"{call.function.name} {call.function.arguments}" for call in message.tool_calls]
    return "\n".join([text, *calls]) if text else "\n".join(calls)
