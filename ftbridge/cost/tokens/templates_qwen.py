"""Qwen's chat templates: ChatML, with tools in the system turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import groupby

from ftbridge.cost.tokens.pieces import S, Template, arguments, clean, decoded, spaced
from ftbridge.dataset.types import Message, Tool


def _chatml(default: str, thinks: bool) -> Callable[[Sequence[Message], str], str]:
    """Qwen 2.5 (with a default system turn) and Qwen 3 (an empty thought before the answer).

    Tags that are tokens of their own: those of calls; from Qwen 3 on those of results as well.
    """
    opened, closed = (S, S) if thinks else ("<tool_response>", "</tool_response>")

    def render(messages: Sequence[Message], tools: str) -> str:
        own = messages[0].role == "system"
        system = clean(messages[0]) if own else default
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
                results = (f"\n{opened}\n{clean(message)}\n{closed}" for message in run)
                out.append(f"{S}user{''.join(results)}{S}\n")
            else:
                for index, message in enumerate(run, at):
                    thought = thinks and role == "assistant" and index == last and index > asked
                    out.append(_turn(message, thought))
            at += len(run)
        return "".join(out)

    return render


def _turn(message: Message, thought: bool) -> str:
    content = clean(message)
    if thought:
        content = f"{S}\n\n{S}\n\n" + content.lstrip("\n")
    calls = "".join(
        f'\n{S}\n{{"name": "{call.function.name}", "arguments": {arguments(call)}}}\n{S}'
        for call in message.tool_calls or ()
    )
    lead = "\n" if content or not calls else ""
    return f"{S}{message.role}{lead}{content}{calls}{S}\n"


def _tools(tools: Sequence[Tool]) -> str:
    listed = "".join("\n" + spaced(tool) for tool in tools)
    return (
        "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are "
        "provided with function signatures within <tools></tools> XML tags:\n<tools>"
        f"{listed}\n</tools>\n\nFor each function call, return a json object with function name "
        f"and arguments within {S}{S} XML tags:\n{S}\n"
        f'{{"name": <function-name>, "arguments": <args-json-object>}}\n{S}'
    )


def _qwen35(messages: Sequence[Message], tools: str) -> str:
    """Texts trimmed, tools before the system text, an empty thought in every answer to the last
    question, and calls as tags."""
    own = messages[0].role == "system"
    system = clean(messages[0]).strip() if own else ""
    out = []
    if tools:
        out.append(f"{S}system\n{tools}" + (f"\n\n{system}" if system else "") + f"{S}\n")
    elif own:
        out.append(f"{S}system\n{system}{S}\n")
    asked = max((i for i, m in enumerate(messages) if m.role == "user"), default=-1)
    at = int(own)
    for role, turns in groupby(messages[own:], lambda message: message.role):
        run = list(turns)
        if role == "tool":
            results = (f"\n{S}\n{clean(message).strip()}\n{S}" for message in run)
            out.append(f"{S}user{''.join(results)}{S}\n")
        else:
            for index, message in enumerate(run, at):
                thought = f"{S}\n\n{S}\n\n" if role == "assistant" and index > asked else ""
                out.append(f"{S}{role}\n{thought}{_tagged(message)}{S}\n")
        at += len(run)
    return "".join(out)


def _tagged(message: Message) -> str:
    content, calls = clean(message).strip(), ""
    for number, call in enumerate(message.tool_calls or ()):
        values = decoded(call.function.arguments)
        given = values.items() if isinstance(values, dict) else [("arguments", values)]
        listed = "".join(
            f"<parameter={name}>\n{_value(item)}\n</parameter>\n" for name, item in given
        )
        lead = "\n" if number else "\n\n" if content else ""
        calls += f"{lead}{S}\n<function={call.function.name}>\n{listed}</function>\n{S}"
    return content + calls


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _tagged_tools(tools: Sequence[Tool]) -> str:
    listed = "".join("\n" + spaced(tool) for tool in tools)
    return (
        "# Tools\n\nYou have access to the following functions:\n\n<tools>"
        f"{listed}\n</tools>\n\nIf you choose to call a function ONLY reply in the following "
        f"format with NO suffix:\n\n{S}\n<function=example_function_name>\n"
        "<parameter=example_parameter_1>\nvalue_1\n</parameter>\n<parameter=example_parameter_2>\n"
        "This is the value for the second parameter\nthat can span\nmultiple lines\n</parameter>\n"
        f"</function>\n{S}\n\n<IMPORTANT>\nReminder:\n- Function calls MUST follow the specified "
        "format: an inner <function=...></function> block must be nested within "
        f"{S}{S} XML tags\n- Required parameters MUST be specified\n- You may provide optional "
        "reasoning for your function call in natural language BEFORE the function call, but NOT "
        "after\n- If there is no function call available, answer the question like normal with "
        "your current knowledge and do not tell the user about function calls\n</IMPORTANT>"
    )


QWEN = {
    "qwen2.5": Template(
        _chatml("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", False),
        _tools,
    ),
    "qwen3": Template(_chatml("", True), _tools),
    "qwen3.5": Template(_qwen35, _tagged_tools),
}
