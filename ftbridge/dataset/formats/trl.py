"""TRL's shapes (huggingface.co/docs/trl/dataset_formats, read 2026-11-24).

Chats as ``messages`` whose calls hold ``arguments`` as an object, which chat templates want;
preferences as ``prompt``, ``chosen``, ``rejected``; prompts for GRPO with further columns.
Read as well: a conversational ``prompt`` with ``completion`` (only the completion is learnt),
preferences without ``prompt`` or of plain texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.formats.parts import Losses, object_of, text_of_raw
from ftbridge.dataset.types import (
    Chat,
    Example,
    FunctionCall,
    ImagePart,
    ImageUrl,
    Kind,
    Message,
    Name,
    Preference,
    Reward,
    Role,
    Text,
    TextPart,
    Tool,
    ToolCall,
)


class _Strict(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    pass


class _TextPart(_Strict, tag_field="type", tag="text"):
    text: str


class _ImagePart(_Strict, tag_field="type", tag="image"):
    url: str


class _Function(_Strict):
    name: Name
    arguments: Raw


class _Call(_Strict):
    function: _Function
    id: str | None = None
    type: Literal["function"] = msgspec.field(default_factory=lambda: "function")


class _Message(_Strict):
    role: Role
    content: str | list[_TextPart | _ImagePart] | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


_Turns = str | list[_Message]
_Tools = str | list[Tool]


class _ChatLine(_Strict):
    messages: list[_Message]
    tools: _Tools | None = None


class _PairLine(_Strict):
    chosen: _Turns
    rejected: _Turns
    prompt: _Turns | None = None
    tools: _Tools | None = None


class _PromptCompletionLine(_Strict):
    prompt: _Turns
    completion: _Turns
    tools: _Tools | None = None


class _PromptLine(msgspec.Struct, gc=False):
    prompt: _Turns
    reference: Raw | UnsetType = UNSET
    tools: _Tools | None = None


_chat = msgspec.json.Decoder(_ChatLine)
_pair = msgspec.json.Decoder(_PairLine)
_completion = msgspec.json.Decoder(_PromptCompletionLine)
_prompt = msgspec.json.Decoder(_PromptLine)
_text = msgspec.json.Decoder(Text)
_keys = msgspec.json.Decoder(dict[str, Raw])
_tool_list = msgspec.json.Decoder(list[Tool])
_TAKEN = frozenset({"prompt", "completion", "chosen", "rejected", "messages", "text", "reference",
                    "tools"})  # fmt: skip


class TRL(Format):
    """All four kinds; weights and parallel calls have no place."""

    name = "trl"
    kinds = tuple(Kind)

    def encode(self, example: Example) -> Converted:
        """The conversational shape of the example's kind."""
        losses = Losses()
        if isinstance(example, Text):
            return Converted(msgspec.json.encode({"text": example.text}))
        losses.add("parallel_tool_calls_dropped", example.parallel_tool_calls is False)
        line: Any
        if isinstance(example, Chat):
            line = _ChatLine(_out(example.messages, losses), example.tools)
        elif isinstance(example, Preference):
            prompt, chosen, rejected = (
                _out(turns, losses) for turns in (example.prompt, example.chosen, example.rejected)
            )
            line = _PairLine(chosen, rejected, prompt, example.tools)
        else:
            taken = _TAKEN & example.extra.keys()
            if taken:
                raise unformed(f"`{min(taken)}`: the key has another meaning in trl; rename it")
            line = {"prompt": _out(example.messages, losses), **example.extra}
            if example.reference is not UNSET:
                line["reference"] = example.reference
            if example.tools:
                line["tools"] = example.tools
        return Converted(msgspec.json.encode(line), losses())

    def decode(self, line: bytes) -> Example:
        """Any of TRL's shapes, judged by its keys."""
        keys = _keys.decode(line)
        if "messages" in keys:
            chat = _chat.decode(line)
            return Chat(messages=_in(chat.messages), tools=_tools(chat.tools))
        if "chosen" in keys or "rejected" in keys:
            return _preference(_pair.decode(line))
        if "completion" in keys:
            return _with_completion(_completion.decode(line))
        if "prompt" in keys:
            found = _prompt.decode(line)
            extra = {k: v for k, v in keys.items() if k not in ("prompt", "reference", "tools")}
            return Reward(
                messages=_turns(found.prompt, "user"),
                reference=found.reference,
                tools=_tools(found.tools),
                extra=extra,
            )
        return _text.decode(line)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """A conversational prompt, a pair, or calls with objects for arguments."""
        if "chosen" in record and "rejected" in record:
            return "conversations" not in record
        if isinstance(record.get("prompt"), list):
            return True
        return _object_calls(record.get("messages"))


def _object_calls(messages: Any) -> bool:
    for message in messages if isinstance(messages, list) else ():
        for call in (message.get("tool_calls") or ()) if isinstance(message, dict) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
                return True
    return False


def _out(messages: list[Message], losses: Losses) -> list[_Message]:
    return [_message_out(message, losses) for message in messages]


def _message_out(message: Message, losses: Losses) -> _Message:
    losses.add("weight_dropped", message.weight == 0)
    calls = None
    if message.tool_calls:
        calls = [
            _Call(_Function(c.function.name, object_of(c.function.arguments, losses)), c.id)
            for c in message.tool_calls
        ]
    content: Any = message.content if isinstance(message.content, str | None) else []
    for part in message.content if isinstance(message.content, list) else ():
        if isinstance(part, TextPart):
            content.append(_TextPart(part.text))
        else:
            losses.add("image_detail_dropped", part.image_url.detail not in (None, "auto"))
            content.append(_ImagePart(part.image_url.url))
    return _Message(message.role, content, message.name, calls, message.tool_call_id)


def _in(messages: list[_Message]) -> list[Message]:
    made = []
    for m in messages:
        calls = [
            ToolCall(FunctionCall(c.function.name, text_of_raw(c.function.arguments)), c.id)
            for c in m.tool_calls or ()
        ]
        content: Any = m.content
        if isinstance(content, list):
            content = [
                TextPart(part.text)
                if isinstance(part, _TextPart)
                else ImagePart(ImageUrl(part.url))
                for part in content
            ]
        made.append(Message(m.role, content, m.name, calls or None, m.tool_call_id))
    return made


def _turns(turns: _Turns, role: Role) -> list[Message]:
    return [Message(role=role, content=turns)] if isinstance(turns, str) else _in(turns)


def _tools(tools: _Tools | None) -> list[Tool] | None:
    return (_tool_list.decode(tools) if isinstance(tools, str) else tools) or None


def _preference(found: _PairLine) -> Preference:
    chosen, rejected = (_turns(side, "assistant") for side in (found.chosen, found.rejected))
    if found.prompt is not None:
        prompt = _turns(found.prompt, "user")
    else:
        same = 0
        for left, right in zip(chosen, rejected, strict=False):
            if left != right:
                break
            same += 1
        prompt, chosen, rejected = chosen[:same], chosen[same:], rejected[same:]
    if not (prompt and chosen and rejected):
        raise unformed("`chosen`: no prompt that both answers share, or no answer after it")
    return Preference(prompt, chosen, rejected, _tools(found.tools))


def _with_completion(found: _PromptCompletionLine) -> Chat:
    prompt = _turns(found.prompt, "user")
    for message in prompt:
        if message.role == "assistant":
            message.weight = 0
    return Chat([*prompt, *_turns(found.completion, "assistant")], _tools(found.tools))


FORMAT = TRL()
