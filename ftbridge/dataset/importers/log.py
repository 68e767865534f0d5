"""From logged calls to chats: what all importers share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import msgspec

from ftbridge.dataset.formats.canonical import decode_as
from ftbridge.dataset.formats.format import Converted, Format, unformed
from ftbridge.dataset.importers.messages import message
from ftbridge.dataset.types import Example, Kind
from ftbridge.errors import DataError

Json = dict[str, Any]

_ANSWERS = ("choices", "generations", "message", "messages", "output", "answer", "content", "text")
_PROMPTS = ("messages", "input", "prompt", "question")


class Log(Format):
    """A log of calls: each record has what was asked and what was answered."""

    kinds = ()

    def encode(self, example: Example) -> Converted:
        """Not possible: a log is written by the tool that it comes from."""
        raise unformed(f"the format {self.name} can be read and not written")

    def decode(self, line: bytes) -> Example:
        """A logged call as a chat.

        Raises:
            DataError: where the record holds no prompt or no answer.
        """
        record = msgspec.json.decode(line)
        if not isinstance(record, dict):
            raise _bad("a record must be an object")
        asked, answered, tools, group = self.call(record)
        chat: Json = {"messages": [*prompt_in(asked), answer_in(answered)]}
        if tools:
            chat["tools"] = tools
        if group:
            chat["metadata"] = {"group": str(group)}
        return decode_as(Kind.CHAT, msgspec.json.encode(chat))

    @abstractmethod
    def call(self, record: Json) -> tuple[Any, Any, list[Any] | None, Any]:
        """What was asked, what was answered, the tools on offer, and the conversation's id."""


def first_of(record: Any, *paths: str) -> Any:
    """The first value that is there under one of these dotted paths."""
    for path in paths:
        value = record
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value not in (None, "", [], {}):
            return value
    return None


def opened(value: Any) -> Any:
    """JSON inside a text, opened; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    return value


def prompt_in(value: Any) -> list[Json]:
    """The messages in what was asked: a text, a message, messages, or an object around them."""
    value = opened(value)
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if isinstance(value, list):
        # LangChain logs a batch of conversations of which there is one.
        inner = value[0] if len(value) == 1 and isinstance(value[0], list) else value
        return [message(item, "user") for item in inner]
    if isinstance(value, dict):
        if "role" in value or "lc" in value:
            return [message(value, "user")]
        held = first_of(value, *_PROMPTS)
        if held is None and len(value) == 1:
            held = next(iter(value.values()))
        if held is not None:
            return prompt_in(held)
    raise _bad("no prompt found; give it by --map user=COLUMN")


def answer_in(value: Any) -> Json:
    """The answer in what came back: a text, a message, the last of several, or an object."""
    value = opened(value)
    if isinstance(value, str):
        return {"role": "assistant", "content": value}
    if isinstance(value, list) and value:
        return answer_in(value[-1] if _is_message(value[-1]) else value[0])
    if isinstance(value, dict):
        if _is_message(value):
            answer = message(value, "assistant")
            if answer["role"] != "assistant":
                raise _bad(f"the answer is from {answer['role']}, not from the assistant")
            return answer
        held = first_of(value, *(key for key in _ANSWERS if key in value))
        if held is None and len(value) == 1:
            held = next(iter(value.values()))
        if held is not None:
            return answer_in(held)
    raise _bad("no answer found; give it by --map assistant=COLUMN")


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("type") == "message":
        return False
    return "role" in value or "lc" in value or value.get("type") in ("ai", "human", "system")


def _bad(text: str) -> DataError:
    return DataError(text)
