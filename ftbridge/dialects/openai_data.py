"""OpenAI's training lines, which several vendors take with less in them.

Chat: the canonical shape. Preference: ``input``, ``preferred_output``,
``non_preferred_output``. Reward: ``messages`` with free keys beside them. Sources: OpenAI's
fine-tuning guides (developers.openai.com, read 2026-11-24) and the vendors' own pages that each
``rules.toml`` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Raw

from ftbridge.dataset.formats.canonical import decode_reward
from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.formats.parts import Losses, plain_text
from ftbridge.dataset.types import (
    Chat,
    Example,
    ImagePart,
    Kind,
    Message,
    Messages,
    Preference,
    Reward,
    Text,
    Tool,
    Tools,
    to_json,
)


class _Strict(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    pass


class _Input(_Strict):
    messages: Messages
    tools: Tools | None = None
    parallel_tool_calls: bool | None = None


class _Pair(_Strict):
    input: _Input
    preferred_output: Messages
    non_preferred_output: Messages


class _ChatLine(_Strict):
    messages: Messages
    tools: Tools | None = None
    parallel_tool_calls: bool | None = None


class _TextLine(_Strict):
    text: str


_chat = msgspec.json.Decoder(_ChatLine)
_pair = msgspec.json.Decoder(_Pair)
_text = msgspec.json.Decoder(_TextLine)
_keys = msgspec.json.Decoder(dict[str, Raw])


class OpenAIShape(Format):
    """OpenAI's lines, less what a vendor does not take (the class variables say)."""

    keeps_shape = True
    takes_names: ClassVar[bool] = True
    takes_weights: ClassVar[bool] = True
    takes_images: ClassVar[bool] = True
    takes_parallel: ClassVar[bool] = True
    takes_strict: ClassVar[bool] = True
    reference_key: ClassVar[str] = "reference"

    @cached_property
    def _takes_all(self) -> bool:
        """Whether a chat of ours is the vendor's line, so that there is nothing to look for."""
        takes = (self.takes_names, self.takes_weights, self.takes_images)
        return all((*takes, self.takes_parallel, self.takes_strict, Kind.CHAT in self.kinds))

    def encode(self, example: Example) -> Converted:
        """The line, with the codes of what this vendor has no place for."""
        if type(example) is Chat and self._takes_all:
            if example.metadata is not None:
                example = msgspec.structs.replace(example, metadata=None)
            return Converted(msgspec.json.encode(example))
        self.require(example)
        if isinstance(example, Text):
            return Converted(msgspec.json.encode({"text": example.text}))
        losses = Losses()
        tools = self._tools(example.tools, losses)
        parallel = example.parallel_tool_calls
        if not self.takes_parallel:
            losses.add("parallel_tool_calls_dropped", parallel is False)
            parallel = None
        if isinstance(example, Preference):
            line: Any = _Pair(
                _Input(self._messages(example.prompt, losses), tools, parallel),
                self._messages(example.chosen, losses),
                self._messages(example.rejected, losses),
            )
        elif isinstance(example, Chat):
            line = _ChatLine(self._messages(example.messages, losses), tools, parallel)
        else:
            messages = self._messages(example.messages, losses)
            kept = msgspec.structs.replace(
                example, messages=messages, tools=tools, parallel_tool_calls=parallel, metadata=None
            )
            return Converted(self._reward_line(kept, losses), losses())
        return Converted(msgspec.json.encode(line), losses())

    def decode(self, line: bytes) -> Example:
        """A line of any of the shapes."""
        keys = _keys.decode(line)
        if "preferred_output" in keys or "non_preferred_output" in keys:
            pair = _pair.decode(line)
            return Preference(
                prompt=pair.input.messages,
                chosen=pair.preferred_output,
                rejected=pair.non_preferred_output,
                tools=pair.input.tools,
                parallel_tool_calls=pair.input.parallel_tool_calls,
            )
        if "text" in keys and "messages" not in keys and Kind.TEXT in self.kinds:
            return Text(_text.decode(line).text)
        if Kind.REWARD in self.kinds and self._is_reward(line, keys):
            return self._decode_reward(line, keys)
        chat = _chat.decode(line)
        return Chat(chat.messages, chat.tools, chat.parallel_tool_calls)

    def _is_reward(self, line: bytes, keys: Mapping[str, Raw]) -> bool:
        if Kind.CHAT not in self.kinds:
            return True
        if "messages" not in keys:
            return False
        try:
            roles = msgspec.json.decode(keys["messages"], type=list[_Role])
        except msgspec.ValidationError:
            return False
        return bool(roles) and roles[-1].role in ("user", "tool")

    def _decode_reward(self, line: bytes, keys: Mapping[str, Raw]) -> Reward:
        found = decode_reward(line)
        if found.metadata is not None:
            raise unformed("`metadata`: unknown key; remove it")
        if self.reference_key != "reference" and self.reference_key in keys:
            if "reference" in keys:
                raise unformed(f"`reference`: stands beside `{self.reference_key}`; keep one")
            found.reference = found.extra.pop(self.reference_key)
        return found

    def _reward_line(self, example: Reward, losses: Losses) -> bytes:
        if self.reference_key == "reference":
            return to_json(example)
        extra = dict(example.extra)
        if example.reference is not UNSET:
            if self.reference_key in extra:
                raise unformed(f"`{self.reference_key}`: stands beside `reference`; keep one")
            extra = {self.reference_key: example.reference, **extra}
        else:
            losses.add("reference_renamed", self.reference_key in extra)
        return to_json(msgspec.structs.replace(example, reference=UNSET, extra=extra))

    def _tools(self, tools: list[Tool] | None, losses: Losses) -> list[Tool] | None:
        if tools is None or self.takes_strict:
            return tools
        losses.add("strict_dropped", any(tool.function.strict for tool in tools))
        replace = msgspec.structs.replace
        return [replace(t, function=replace(t.function, strict=None)) for t in tools]

    def _messages(self, messages: list[Message], losses: Losses) -> list[Message]:
        if self.takes_names and self.takes_weights and self.takes_images:
            return messages
        return [self._message(message, losses) for message in messages]

    def _message(self, message: Message, losses: Losses) -> Message:
        changed: dict[str, Any] = {}
        if message.name is not None and not self.takes_names:
            losses.add("name_dropped")
            changed["name"] = None
        if message.weight is not None and not self.takes_weights:
            losses.add("weight_dropped", message.weight == 0)
            changed["weight"] = None
        parts = message.content if isinstance(message.content, list) else []
        if not self.takes_images and any(isinstance(part, ImagePart) for part in parts):
            changed["content"] = plain_text(message, losses)
        return msgspec.structs.replace(message, **changed) if changed else message


class OpenAIFormat(OpenAIShape):
    """Everything that a canonical chat, preference or reward holds; only metadata stays.

    OpenAI's own, and Azure OpenAI's, whose guides show the same lines.
    """

    name = "openai"
    kinds = (Kind.CHAT, Kind.PREFERENCE, Kind.REWARD)

    def looks_like(self, record: Mapping[str, Any]) -> bool:
        """The preference shape, which others took over; a chat is canonical anyway."""
        return "preferred_output" in record or "non_preferred_output" in record


class _Role(msgspec.Struct, gc=False):
    role: str
