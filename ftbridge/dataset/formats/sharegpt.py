"""ShareGPT: ``conversations`` of ``from`` and ``value``; calls as LLaMA-Factory writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.formats.parts import (
    Losses,
    drop_tool_settings,
    link,
    object_of,
    plain_text,
    record_link,
    text_of_raw,
)
from ftbridge.dataset.types import (
    Chat,
    Example,
    Function,
    FunctionCall,
    Kind,
    Message,
    Preference,
    Tool,
    ToolCall,
)

ROLES = {
    "system": "system", "human": "user", "user": "user", "gpt": "assistant",
    "assistant": "assistant", "chatgpt": "assistant", "observation": "tool", "tool": "tool",
    "function_call": "call",
}  # fmt: skip
SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


class _Turn(msgspec.Struct, rename={"speaker": "from"}, gc=False):
    speaker: str
    value: str


class _Line(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    conversations: list[_Turn]
    chosen: _Turn | None = None
    rejected: _Turn | None = None
    system: str | None = None
    tools: str | None = None
    id: str | int | None = None


class _Call(msgspec.Struct, gc=False):
    name: str
    arguments: Raw


_line = msgspec.json.Decoder(_Line)
_calls = msgspec.json.Decoder(list[_Call])
_tools = msgspec.json.Decoder(list[Tool])
_functions = msgspec.json.Decoder(list[Function])


class ShareGPT(Format):
    """Chats with tools, and preference pairs of one answer each."""

    name = "sharegpt"
    kinds = (Kind.CHAT, Kind.PREFERENCE)

    def encode(self, example: Example) -> Converted:
        """Turns by speaker; ids of calls are not written."""
        self.require(example)
        losses = Losses()
        drop_tool_settings(example, losses, tools=True)
        if isinstance(example, Preference):
            if len(example.chosen) > 1 or len(example.rejected) > 1:
                raise unformed("`chosen`: sharegpt takes one answer turn on each side")
            chosen = _turns([*example.prompt, *example.chosen], losses)
            rejected = _turns([*example.prompt, *example.rejected], losses)
            if len(chosen) != len(rejected) or len(_turns(example.prompt, losses)) + 1 != len(
                chosen
            ):
                raise unformed("`chosen`: an answer with text and calls has no shape in sharegpt")
            line = _Line(chosen[:-1], chosen[-1], rejected[-1])
        else:
            assert isinstance(example, Chat)
            line = _Line(_turns(example.messages, losses))
        if example.tools:
            line.tools = msgspec.json.encode(example.tools).decode()
        return Converted(msgspec.json.encode(line), losses())

    def decode(self, line: bytes) -> Example:
        """A chat or a preference pair."""
        found = _line.decode(line)
        messages = _messages(found.conversations)
        if found.system is not None:
            if messages and messages[0].role == "system":
                raise unformed("`system`: stands beside a system turn; keep one")
            messages.insert(0, Message(role="system", content=found.system))
        tools = _read_tools(found.tools) if found.tools else None
        if found.chosen is None and found.rejected is None:
            link(messages, by_name=False)
            return Chat(messages=messages, tools=tools)
        if found.chosen is None or found.rejected is None:
            raise unformed("`chosen` and `rejected` belong together; add the other")
        chosen, rejected = _messages([found.chosen]), _messages([found.rejected])
        count = link(messages, by_name=False)
        for answer in (chosen, rejected):
            link(answer, by_name=False, count=count)
        return Preference(prompt=messages, chosen=chosen, rejected=rejected, tools=tools)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """``conversations``."""
        return isinstance(record.get("conversations"), list)


def _turns(messages: list[Message], losses: Losses) -> list[_Turn]:
    record_link(messages, losses, by_name=False)
    turns: list[_Turn] = []
    for message in messages:
        losses.add("name_dropped", message.name is not None)
        losses.add("weight_dropped", message.weight == 0)
        if message.content is not None:
            turns.append(_Turn(SPEAKERS[message.role], plain_text(message, losses)))
        if message.tool_calls:
            # A call right after an answer is read as one turn.
            before = turns[-1].speaker if turns and message.content is None else ""
            losses.add("turns_merged", before == "gpt")
            calls = [
                _Call(call.function.name, object_of(call.function.arguments, losses))
                for call in message.tool_calls
            ]
            value = msgspec.json.encode(calls[0] if len(calls) == 1 else calls)
            turns.append(_Turn("function_call", value.decode()))
    return turns


def _messages(turns: list[_Turn]) -> list[Message]:
    messages: list[Message] = []
    for index, turn in enumerate(turns):
        role = ROLES.get(turn.speaker)
        if role is None:
            raise unformed(
                f"`conversations[{index}].from`: unknown speaker; use {', '.join(ROLES)}"
            )
        if role != "call":
            messages.append(Message(role=role, content=turn.value))  # type: ignore[arg-type]
            continue
        calls = _read_calls(turn.value, index)
        last = messages[-1] if messages else None
        if last is not None and last.role == "assistant" and last.tool_calls is None:
            last.tool_calls = calls
        else:
            messages.append(Message(role="assistant", tool_calls=calls))
    return messages


def _read_calls(value: str, index: int) -> list[ToolCall]:
    text = value.strip()
    try:
        found = _calls.decode(text if text.startswith("[") else f"[{text}]")
        calls = [ToolCall(FunctionCall(call.name, text_of_raw(call.arguments))) for call in found]
    except (msgspec.DecodeError, RecursionError):
        calls = []
    if not calls:
        raise unformed(
            f"`conversations[{index}].value`: no call; write an object with name and arguments"
        )
    return calls


def _read_tools(text: str) -> list[Tool] | None:
    try:
        return _tools.decode(text) or None
    except msgspec.DecodeError:
        pass
    try:
        return [Tool(function) for function in _functions.decode(text)] or None
    except (msgspec.DecodeError, RecursionError):
        raise unformed("`tools`: no JSON list of tools; correct it") from None


FORMAT = ShareGPT()
