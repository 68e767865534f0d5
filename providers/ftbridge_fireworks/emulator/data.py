"""Training data as the vendor reads it: while the job validates, not at upload.

Shapes and bounds: docs.fireworks.ai fine-tuning-models (3 to 3,000,000 chats, a system message
first only, ``weight`` 0 or 1), dpo-fine-tuning (one assistant message on each side) and
reinforcement-fine-tuning-models (messages; whatever else a line holds is for the evaluator).
Unverified: when the vendor checks, its sentences, and whether unknown keys are refused (here they
are).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.likeness import Learned, text_of

LEAST, MOST = 3, 3_000_000
ROLES = frozenset({"system", "user", "assistant", "tool"})
MESSAGE_KEYS = frozenset({"role", "content", "weight", "tool_calls", "tool_call_id", "name"})
PAIR_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})


class BadData(Exception):
    """What is wrong with the data."""


@dataclass
class TrainingData:
    """What is left of a dataset: counts, and pairs of user text and answer."""

    examples: int = 0
    tokens: int = 0
    pairs: Learned[dict[str, Any]] = field(default_factory=Learned)


def estimate_tokens(content: bytes) -> int:
    """``estimatedTokenCount`` of a dataset: four characters a token, whatever is in it."""
    return math.ceil(len(content) / 4)


def read_training_data(content: bytes, kind: str) -> TrainingData:
    """Read a whole dataset for a kind of job; raises `BadData` at its first fault."""
    data = TrainingData()
    read = _READERS[kind]
    for number, item in _examples(content):
        data.pairs.append(read(item, f"line {number}"))
        data.examples += 1
        data.tokens += estimate_tokens(json.dumps(item).encode())
    if not LEAST <= data.examples <= MOST:
        raise BadData(f"{data.examples} examples, expected {LEAST} to {MOST}")
    return data


def _examples(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            item = json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise BadData(f"line {number} is not JSON: {error}") from error
        if not isinstance(item, dict):
            raise BadData(f"line {number} is not a JSON object")
        yield number, item


def _messages(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise BadData(f"{where}: messages are missing")
    for number, message in enumerate(value):
        _check_message(message, number, f"{where}, message {number + 1}")
    return value


def _check_message(message: Any, number: int, where: str) -> None:
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        raise BadData(f"{where}: unknown role")
    if unknown := sorted(message.keys() - MESSAGE_KEYS):
        raise BadData(f"{where}: unknown key {unknown[0]!r}")
    if message["role"] == "system" and number:
        raise BadData(f"{where}: a system message comes first or not at all")
    content = message.get("content")
    if not isinstance(content, str | list) and not (content is None and message.get("tool_calls")):
        raise BadData(f"{where}: content is missing")
    if message.get("weight", 1) not in (0, 1):
        raise BadData(f"{where}: weight is 0 or 1")


def _last_user(messages: list[dict[str, Any]]) -> str:
    users = [text_of(each.get("content")) for each in messages if each["role"] == "user"]
    return users[-1] if users else ""


def _chat(item: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    if unknown := sorted(item.keys() - {"messages", "tools"}):
        raise BadData(f"{where}: unknown key {unknown[0]!r}")
    messages = _messages(item.get("messages"), where)
    answers = [each for each in messages if each["role"] == "assistant"]
    if not answers:
        raise BadData(f"{where}: no assistant message")
    return _last_user(messages), answers[-1]


def _preference(item: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    if item.keys() != PAIR_KEYS:
        raise BadData(f"{where}: expected the keys {sorted(PAIR_KEYS)}")
    given = item["input"]
    if not isinstance(given, dict) or given.keys() - {"messages", "tools"}:
        raise BadData(f"{where}: input holds messages and tools")
    messages = _messages(given.get("messages"), f"{where}, input")
    for side in ("preferred_output", "non_preferred_output"):
        answer = _messages(item[side], f"{where}, {side}")
        if len(answer) != 1 or answer[0]["role"] != "assistant":
            raise BadData(f"{where}: {side} is one assistant message")
    return _last_user(messages), item["preferred_output"][0]


def _prompt(item: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """A prompt; ``reference``, where it is a text, is what the tuned model will say."""
    messages = _messages(item.get("messages"), where)
    if messages[-1]["role"] == "assistant":
        raise BadData(f"{where}: ends with an answer")
    said = item.get("reference")
    content = said if isinstance(said, str) else "I have been rewarded in a sandbox."
    return _last_user(messages), {"role": "assistant", "content": content}


_READERS = {
    "supervisedFineTuningJobs": _chat,
    "dpoJobs": _preference,
    "reinforcementFineTuningJobs": _prompt,
}
