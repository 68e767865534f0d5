"""Training data as the service reads it: in the validation phase of the job.

Shapes: docs.aws.amazon.com nova fine-tune-prepare-data-understanding (turns that alternate,
reserved first words), rft-prepare-data (OpenAI's messages, at least 100 records),
preparing-text-data (``prompt`` and ``completion``; ``input`` for continued pre-training),
distillation-prepare-datasets (prompts); Anthropic's Bedrock cookbook for Claude 3 Haiku.
Unverified: the wording of failures, and the least number of prompts of a distillation (here 100).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.likeness import Learned

RESERVED = ("User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]")
LEAST = {"REINFORCEMENT_FINE_TUNING": 100, "DISTILLATION": 100}


class BadData(Exception):
    """What is wrong with the data."""


@dataclass
class TrainingData:
    """What is left of a file: counts, and pairs of user text and answer."""

    examples: int = 0
    tokens: int = 0
    pairs: Learned[str] = field(default_factory=Learned)


def read_training_data(content: bytes, customization: str, family: str) -> TrainingData:
    """Read a whole file for a type and a family of bases; raises `BadData` at its first fault."""
    data = TrainingData()
    read = _reader(customization, family)
    for number, item in _records(content):
        data.pairs.append(read(item, f"line {number}"))
        data.examples += 1
        data.tokens += math.ceil(len(json.dumps(item)) / 6)
    least = LEAST.get(customization, 1)
    if data.examples < least:
        raise BadData(f"{data.examples} records, expected at least {least}")
    return data


def _reader(customization: str, family: str) -> Callable[[dict[str, Any], str], tuple[str, str]]:
    if customization == "CONTINUED_PRE_TRAINING":
        return _plain_text
    if customization == "REINFORCEMENT_FINE_TUNING":
        return _graded
    if customization == "DISTILLATION":
        return lambda item, where: _nova(item, where, answered=False)
    return {"nova": _nova, "claude": _claude, "llama": _prompted, "titan": _prompted}[family]


def _records(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            item = json.loads(line.decode("utf-8"))
        except ValueError:
            raise BadData(f"line {number} is not JSON") from None
        if not isinstance(item, dict):
            raise BadData(f"line {number} is not a JSON object")
        yield number, item


def _keys(item: dict[str, Any], needed: set[str], free: set[str], where: str) -> None:
    if unknown := sorted(item.keys() - needed - free):
        raise BadData(f"{where}: unexpected key {unknown[0]!r}")
    if absent := sorted(needed - item.keys()):
        raise BadData(f"{where}: missing key {absent[0]!r}")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadData(f"{where}: expected text")
    return value


def _turns(messages: Any, where: str, answered: bool = True) -> list[dict[str, Any]]:
    """Messages that alternate from the user on, and end with the assistant where that is due."""
    if not isinstance(messages, list) or not messages:
        raise BadData(f"{where}: messages are missing")
    for index, message in enumerate(messages):
        due = ("user", "assistant")[index % 2]
        if not isinstance(message, dict) or message.get("role") != due:
            raise BadData(f"{where}, message {index + 1}: expected the role {due}")
        _keys(message, {"role", "content"}, set(), f"{where}, message {index + 1}")
    if answered and len(messages) % 2:
        raise BadData(f"{where}: the last message is not the assistant's")
    return messages


def _parts(content: Any, where: str) -> str:
    """The text of Nova's content parts."""
    if not isinstance(content, list) or not content:
        raise BadData(f"{where}: content is not a list of parts")
    texts = []
    for part in content:
        if not isinstance(part, dict) or len(part) != 1 or not part.keys() & _PARTS:
            raise BadData(f"{where}: a part is not one of {', '.join(sorted(_PARTS))}")
        if "text" in part:
            texts.append(_text(part["text"], where))
    return " ".join(texts)


_PARTS = {"text", "image", "video"}


def _nova(item: dict[str, Any], where: str, answered: bool = True) -> tuple[str, str]:
    _keys(item, {"schemaVersion", "messages"}, {"system"}, where)
    _text(item["schemaVersion"], f"{where}: schemaVersion")
    if "system" in item:
        _parts(item["system"], f"{where}: system")
    user = answer = ""
    for number, turn in enumerate(_turns(item["messages"], where, answered), start=1):
        text = _parts(turn["content"], f"{where}, message {number}")
        if turn["role"] == "assistant":
            answer = text
            continue
        user = text
        if user.startswith(RESERVED):
            raise BadData(f"{where}, message {number}: begins with a reserved word")
    return user, answer


def _claude(item: dict[str, Any], where: str) -> tuple[str, str]:
    _keys(item, {"messages"}, {"system"}, where)
    if "system" in item:
        _text(item["system"], f"{where}: system")
    turns = _turns(item["messages"], where)
    texts = [_text(turn["content"], where) for turn in turns]
    return texts[-2], texts[-1]


def _prompted(item: dict[str, Any], where: str) -> tuple[str, str]:
    _keys(item, {"prompt", "completion"}, set(), where)
    return _text(item["prompt"], f"{where}: prompt"), _text(item["completion"], where)


def _plain_text(item: dict[str, Any], where: str) -> tuple[str, str]:
    _keys(item, {"input"}, set(), where)
    text = _text(item["input"], f"{where}: input")
    return text, text


def _graded(item: dict[str, Any], where: str) -> tuple[str, str]:
    messages = item.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadData(f"{where}: messages are missing")
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict) or message.get("role") not in _OPENAI_ROLES:
            raise BadData(f"{where}, message {number}: unknown role")
    users = [str(each.get("content")) for each in messages if each["role"] == "user"]
    if not users:
        raise BadData(f"{where}: no message of a user")
    return users[-1], str(item.get("reference_answer", ""))


_OPENAI_ROLES = ("system", "developer", "user", "assistant", "tool")
