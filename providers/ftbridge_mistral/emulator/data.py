"""Training data as the vendor reads it: while the job validates, not at upload.

docs.mistral.ai text_finetuning: ``messages``, an assistant's message last. That classifier lines
hold ``text`` or ``messages`` with ``labels`` is from the same pages; unverified in detail.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

ROLES = frozenset({"system", "user", "assistant", "tool"})


class BadData(Exception):
    """What is wrong with the data."""


@dataclass
class TrainingData:
    """Counts, and pairs of user text and answer."""

    examples: int = 0
    tokens: int = 0
    pairs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def nearest(self, text: str) -> dict[str, Any]:
        """The answer of the example whose user text shares most words with this one."""
        words = set(text.lower().split())

        def likeness(pair: tuple[str, dict[str, Any]]) -> float:
            other = set(pair[0].lower().split())
            return len(words & other) / (len(words | other) or 1)

        return max(self.pairs, key=likeness)[1]


def tokens_of(content: Any) -> int:
    """A rough count: four characters a token."""
    return len(json.dumps(content)) // 4 + 1


def text_of(content: Any) -> str:
    """The text of a message's content."""
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def read_training_data(content: bytes, kind: str) -> TrainingData:
    """Read JSON lines. Raises BadData."""
    data = TrainingData()
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadData(f"line {number} is not JSON") from error
        _check(row, kind, number)
        data.examples += 1
        data.tokens += tokens_of(row)
        if kind == "completion":
            data.pairs += _pairs(row["messages"])
    if not data.examples:
        raise BadData("no examples")
    return data


def _check(row: Any, kind: str, number: int) -> None:
    if not isinstance(row, dict):
        raise BadData(f"line {number}: not an object")
    if kind == "classifier":
        if not isinstance(row.get("labels"), dict) or not ({"text", "messages"} & row.keys()):
            raise BadData(f"line {number}: expected text or messages, and labels")
        return
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadData(f"line {number}: Invalid file format: no messages")
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise BadData(f"line {number}: Invalid file format: role")
        if not message.get("content") and not message.get("tool_calls"):
            raise BadData(f"line {number}: Invalid file format: empty message")
    if messages[-1]["role"] != "assistant":
        raise BadData(f"line {number}: Invalid file format: the last message is no assistant's")


def _pairs(messages: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    asked, found = "", []
    for message in messages:
        if message["role"] == "user":
            asked = text_of(message.get("content"))
        elif message["role"] == "assistant":
            found.append((asked, message))
    return found
