"""The metric of tool calls: the right tools with the right arguments, in any order."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ftbridge.evaluate.metrics.metric import Metric, Settings
from ftbridge.evaluate.metrics.structured import NOTHING, parsed
from ftbridge.provider import ChatReply

_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


def made(reply: ChatReply) -> list[tuple[str, Any]]:
    """The calls of a reply: those that the server shows, else those written in its text.

    A model asked without a server's parser writes ``<tool_call>{...}</tool_call>`` (Hermes and
    Qwen templates) or the bare JSON of one call or a list of them.
    """
    if reply.tool_calls:
        return [call for each in reply.tool_calls if (call := _call(each))]
    tagged = _TAGGED.findall(reply.text)
    values = [parsed(text) for text in tagged] if tagged else [parsed(reply.text)]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return [call for each in flat if isinstance(each, dict) and (call := _call(each))]


def wanted(calls: Iterable[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """The calls of a reference turn."""
    return [call for each in calls if (call := _call(each))]


def _call(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    inner = value.get("function")
    source = inner if isinstance(inner, Mapping) else value
    name = source.get("name")
    arguments = source.get("arguments", source.get("parameters", {}))
    if isinstance(arguments, str):
        found = parsed(arguments) if arguments.strip() else {}
        arguments = arguments if found is NOTHING else found
    return (name, arguments) if isinstance(name, str) else None


def _counted(calls: Iterable[tuple[str, Any]], with_arguments: bool) -> Counter[str]:
    return Counter(
        json.dumps(call if with_arguments else call[0], sort_keys=True) for call in calls
    )


def tool_call(settings: Settings) -> Metric:
    """All calls right: names and arguments, whatever the order of keys and of calls."""
    return Metric("tool_call", lambda row, reply: _same(row.calls, reply, True), needs="calls")


def tool_name(settings: Settings) -> Metric:
    """The right tools called, whatever the arguments."""
    return Metric("tool_name", lambda row, reply: _same(row.calls, reply, False), needs="calls")


def _same(calls: Iterable[Mapping[str, Any]], reply: ChatReply, with_arguments: bool) -> float:
    return float(_counted(wanted(calls), with_arguments) == _counted(made(reply), with_arguments))
