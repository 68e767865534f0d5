"""The chat templates of open model families, written out with one mark for each special token.

Written after the templates that the models' publishers ship; ``tests/cost`` compares them with
the publishers' own rendering where a package has it. A trainer that uses another template counts
otherwise, so their counts are graded "exact text, assumed frame" unless a catalogue knows better.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import msgspec

from ftbridge.dataset.types import Message, Tool, ToolCall, text_of

S = "\0"
"""One special token, whatever it is called: texts on its two sides are cut apart from each other.
A NUL within a text is taken for another control character, which is one token as well."""


class Template(NamedTuple):
    """How a family writes a conversation, its tools, and a plain text."""

    render: Callable[[Sequence[Message], str], str]
    tools: Callable[[Sequence[Tool]], str]
    text: Callable[[str], str] = lambda text: f"{text}{S}"


# -- Qwen: ChatML --------------------------------------------------------------------------------


def _qwen(default: str, thinks: bool) -> Callable[[Sequence[Message], str], str]:
    """Qwen 2.5 (with a default system turn) and Qwen 3 (an empty thought before the answer).

    Tags that are tokens of their own: those of calls; from Qwen 3 on those of results as well.
    """
    opened, closed = (S, S) if thinks else ("<tool_response>", "</tool_response>")

    def render(messages: Sequence[Message], tools: str) -> str:
        own = messages[0].role == "system"
        system = _clean(messages[0]) if own else default
        out = []
        if tools:
            lead = f"{system}\n\n" if system else ""
            out.append(f"{S}system\n{lead}{tools}{S}\n")
        elif own or system:
            out.append(f"{S}system\n{system}{S}\n")
        last = len(messages) - 1 - own
        asked = max((i for i, m in enumerate(messages[own:]) if m.role == "user"), default=-1)
        at = 0
        for role, turns in groupby(messages[own:], lambda message: message.role):
            run = list(turns)
            if role == "tool":
                results = (f"\n{opened}\n{_clean(message)}\n{closed}" for message in run)
                out.append(f"{S}user{''.join(results)}{S}\n")
            else:
                for index, message in enumerate(run, at):
                    thought = thinks and role == "assistant" and index == last and index > asked
                    out.append(_qwen_turn(message, thought))
            at += len(run)
        return "".join(out)

    return render


def _qwen_turn(message: Message, thought: bool) -> str:
    content = _clean(message)
    if thought:
        content = f"{S}\n\n{S}\n\n" + content.lstrip("\n")
    calls = "".join(
        f'\n{S}\n{{"name": "{call.function.name}", "arguments": {_arguments(call)}}}\n{S}'
        for call in message.tool_calls or ()
    )
    lead = "\n" if content or not calls else ""
    return f"{S}{message.role}{lead}{content}{calls}{S}\n"


def _qwen_tools(tools: Sequence[Tool]) -> str:
    listed = "".join("\n" + _spaced(tool) for tool in tools)
    return (
        "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are "
        "provided with function signatures within <tools></tools> XML tags:\n<tools>"
        f"{listed}\n</tools>\n\nFor each function call, return a json object with function name "
        f"and arguments within {S}{S} XML tags:\n{S}\n"
        f'{{"name": <function-name>, "arguments": <args-json-object>}}\n{S}'
    )


# -- Llama 3 -------------------------------------------------------------------------------------

_LLAMA_DATES = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"


def _llama3(dated: bool) -> Callable[[Sequence[Message], str], str]:
    """Llama 3, and from 3.1 on with dates in every system turn and tools in the first question."""

    def render(messages: Sequence[Message], tools: str) -> str:
        own = messages[0].role == "system"
        system = _clean(messages[0]).strip() if own else ""
        out = [S]
        if dated:
            lead = "Environment: ipython\n" if tools else ""
            out.append(_llama_turn("system", f"{lead}{_LLAMA_DATES}{system}"))
        elif own or tools:
            out.append(_llama_turn("system", system))
        for message in messages[own:]:
            content = _clean(message).strip()
            if tools and message.role == "user":
                content, tools = f"{tools}{content}", ""
            if message.tool_calls:
                content = "".join(
                    f'{{"name": "{call.function.name}", "parameters": {_arguments(call)}}}'
                    for call in message.tool_calls
                )
            if dated and message.role == "tool":
                content = json.dumps(_clean(message), ensure_ascii=False)
            role = "ipython" if message.role == "tool" else message.role
            out.append(_llama_turn(role, content))
        return "".join(out)

    return render


def _llama_turn(role: str, content: str) -> str:
    return f"{S}{role}{S}\n\n{content}{S}"


def _llama_tools(tools: Sequence[Tool]) -> str:
    listed = "".join(_indented(tool) + "\n\n" for tool in tools)
    return (
        "Given the following functions, please respond with a JSON for a function call with its "
        "proper arguments that best answers the given prompt.\n\nRespond in the format "
        '{"name": function name, "parameters": dictionary of argument name and its value}.'
        f"Do not use variables.\n\n{listed}"
    )


# -- Mistral, template v3 (tekken) ---------------------------------------------------------------


def _mistral(messages: Sequence[Message], tools: str) -> str:
    """The system text and the tools stand with the last question; each answer ends in a token."""
    own = messages[0].role == "system"
    asked = max((i for i, m in enumerate(messages) if m.role == "user"), default=-1)
    out = [S]
    for index, message in enumerate(messages[own:], int(own)):
        content = _clean(message)
        if message.role == "user":
            system = f"{_clean(messages[0])}\n\n" if own and index == asked else ""
            shown = f"{S}{tools}{S}" if tools and index == asked else ""
            out.append(f"{shown}{S}{system}{content}{S}")
        elif message.role == "tool":
            result = {"content": _decoded(content), "call_id": message.tool_call_id}
            out.append(f"{S}{json.dumps(result, ensure_ascii=False)}{S}")
        elif message.tool_calls:
            out.append(f"{content}{S}{_mistral_calls(message.tool_calls)}{S}")
        else:
            out.append(f"{content}{S}")
    return "".join(out)


def _mistral_calls(calls: Sequence[ToolCall]) -> str:
    listed = [
        {
            "name": call.function.name,
            "arguments": _decoded(call.function.arguments),
            "id": call.id,
        }
        for call in calls
    ]
    return json.dumps(listed, ensure_ascii=False)


def _mistral_tools(tools: Sequence[Tool]) -> str:
    return json.dumps([_ordered(tool) for tool in tools], ensure_ascii=False)


# -- Gemma, DeepSeek -----------------------------------------------------------------------------


def _gemma(messages: Sequence[Message], tools: str) -> str:
    """No system turn: its text, and what tools there are, stand before the first question."""
    own = messages[0].role == "system"
    lead = (f"{_clean(messages[0])}\n\n" if own else "") + (f"{tools}\n\n" if tools else "")
    out = [S]
    for message in messages[own:]:
        role = "model" if message.role == "assistant" else "user"
        calls = "".join(
            f"{call.function.name}{call.function.arguments}" for call in message.tool_calls or ()
        )
        out.append(f"{S}{role}\n{lead}{_clean(message).strip()}{calls}{S}\n")
        lead = ""
    return "".join(out)


def _deepseek(messages: Sequence[Message], tools: str) -> str:
    """One token before each turn, one after each answer; the system text stands bare."""
    own = messages[0].role == "system"
    out = [S, _clean(messages[0]) if own else "", f"\n\n{tools}" if tools else ""]
    for message in messages[own:]:
        calls = "".join(
            f"{S}{call.function.name}{S}{call.function.arguments}{S}"
            for call in message.tool_calls or ()
        )
        out.append(f"{S}{_clean(message)}{calls}{S if message.role == 'assistant' else ''}")
    return "".join(out)


def compact_tools(tools: Sequence[Tool]) -> str:
    """Each tool as JSON without blanks, on a line of its own."""
    return _compact(msgspec.json.encode(tools))


@lru_cache(maxsize=1024)
def _compact(tools: bytes) -> str:
    """A file repeats few lists often; schemas are kept as they were written, blanks and all."""
    return "\n".join(msgspec.json.encode(tool).decode() for tool in msgspec.json.decode(tools))


# -- pieces --------------------------------------------------------------------------------------


def _clean(message: Message) -> str:
    return text_of(message).replace(S, "\1")


def _decoded(text: str) -> object:
    """The value of a JSON text; the text itself where it is none."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _arguments(call: ToolCall) -> str:
    """As a template writes the object that trainers make of the text."""
    return json.dumps(_decoded(call.function.arguments), ensure_ascii=False)


def _spaced(tool: Tool) -> str:
    return json.dumps(_ordered(tool), ensure_ascii=False)


def _indented(tool: Tool) -> str:
    return json.dumps(_ordered(tool), ensure_ascii=False, indent=4)


def _ordered(tool: Tool) -> dict[str, object]:
    """A tool as people write it: the type first."""
    content = _builtins(msgspec.json.encode(tool))
    return {"type": "function", "function": content["function"]}


@lru_cache(maxsize=1024)
def _builtins(line: bytes) -> dict[str, object]:
    """A file repeats few tools often."""
    content: dict[str, object] = msgspec.json.decode(line)
    return content


TEMPLATES = {
    "qwen2.5": Template(
        _qwen("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", False),
        _qwen_tools,
    ),
    "qwen3": Template(_qwen("", True), _qwen_tools),
    "llama3": Template(_llama3(False), _llama_tools, lambda text: f"{S}{text}{S}"),
    "llama3.1": Template(_llama3(True), _llama_tools, lambda text: f"{S}{text}{S}"),
    "mistral": Template(_mistral, _mistral_tools, lambda text: f"{S}{text}{S}"),
    "gemma": Template(_gemma, compact_tools, lambda text: f"{S}{text}{S}"),
    "deepseek": Template(_deepseek, compact_tools, lambda text: f"{S}{text}{S}"),
}
