"""The chat templates of open model families, written out with one mark for each special token.

Written after the templates that the models' publishers ship; ``tests/cost`` compares them with
the publishers' own rendering where a package has it. A trainer that uses another template counts
otherwise, so their counts are graded "exact text, assumed frame" unless a catalogue knows better.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from ftbridge.cost.tokens.pieces import (
    S,
    Template,
    arguments,
    clean,
    compact_tools,
    decoded,
    indented,
    ordered,
)
from ftbridge.cost.tokens.templates_qwen import QWEN
from ftbridge.dataset.types import Message, Tool, ToolCall

# -- Llama 3 -------------------------------------------------------------------------------------

_LLAMA_DATES = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"


def _llama3(dated: bool) -> Callable[[Sequence[Message], str], str]:
    """Llama 3, and from 3.1 on with dates in every system turn and tools in the first question."""

    def render(messages: Sequence[Message], tools: str) -> str:
        own = messages[0].role == "system"
        system = clean(messages[0]).strip() if own else ""
        out = [S]
        if dated:
            lead = "Environment: ipython\n" if tools else ""
            out.append(_llama_turn("system", f"{lead}{_LLAMA_DATES}{system}"))
        elif own or tools:
            out.append(_llama_turn("system", system))
        for message in messages[own:]:
            content = clean(message).strip()
            if tools and message.role == "user":
                content, tools = f"{tools}{content}", ""
            if message.tool_calls:
                content = "".join(
                    f'{{"name": "{call.function.name}", "parameters": {arguments(call)}}}'
                    for call in message.tool_calls
                )
            if dated and message.role == "tool":
                content = json.dumps(clean(message), ensure_ascii=False)
            role = "ipython" if message.role == "tool" else message.role
            out.append(_llama_turn(role, content))
        return "".join(out)

    return render


def _llama_turn(role: str, content: str) -> str:
    return f"{S}{role}{S}\n\n{content}{S}"


def _llama_tools(tools: Sequence[Tool]) -> str:
    listed = "".join(indented(tool) + "\n\n" for tool in tools)
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
        content = clean(message)
        if message.role == "user":
            system = f"{clean(messages[0])}\n\n" if own and index == asked else ""
            shown = f"{S}{tools}{S}" if tools and index == asked else ""
            out.append(f"{shown}{S}{system}{content}{S}")
        elif message.role == "tool":
            result = {"content": decoded(content), "call_id": message.tool_call_id}
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
            "arguments": decoded(call.function.arguments),
            "id": call.id,
        }
        for call in calls
    ]
    return json.dumps(listed, ensure_ascii=False)


def _mistral_tools(tools: Sequence[Tool]) -> str:
    return json.dumps([ordered(tool) for tool in tools], ensure_ascii=False)


# -- Gemma, DeepSeek -----------------------------------------------------------------------------


def _gemma(messages: Sequence[Message], tools: str) -> str:
    """No system turn: its text, and what tools there are, stand before the first question."""
    own = messages[0].role == "system"
    lead = (f"{clean(messages[0])}\n\n" if own else "") + (f"{tools}\n\n" if tools else "")
    out = [S]
    for message in messages[own:]:
        role = "model" if message.role == "assistant" else "user"
        calls = "".join(
            f"{call.function.name}{call.function.arguments}" for call in message.tool_calls or ()
        )
        out.append(f"{S}{role}\n{lead}{clean(message).strip()}{calls}{S}\n")
        lead = ""
    return "".join(out)


def _deepseek(messages: Sequence[Message], tools: str) -> str:
    """One token before each turn, one after each answer; the system text stands bare."""
    own = messages[0].role == "system"
    out = [S, clean(messages[0]) if own else "", f"\n\n{tools}" if tools else ""]
    for message in messages[own:]:
        calls = "".join(
            f"{S}{call.function.name}{S}{call.function.arguments}{S}"
            for call in message.tool_calls or ()
        )
        out.append(f"{S}{clean(message)}{calls}{S if message.role == 'assistant' else ''}")
    return "".join(out)


TEMPLATES = {
    **QWEN,
    "llama3": Template(_llama3(False), _llama_tools, lambda text: f"{S}{text}{S}"),
    "llama3.1": Template(_llama3(True), _llama_tools, lambda text: f"{S}{text}{S}"),
    "mistral": Template(_mistral, _mistral_tools, lambda text: f"{S}{text}{S}"),
    "gemma": Template(_gemma, compact_tools, lambda text: f"{S}{text}{S}"),
    "deepseek": Template(_deepseek, compact_tools, lambda text: f"{S}{text}{S}"),
}
