"""Training data as the vendor reads it: while the job validates, not at upload.

docs.mistral.ai text_finetuning: ``messages``, an assistant's message last. Classifier lines hold
``text`` or ``messages``, and ``labels``: target -> label, or several (classifier_factory.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.likeness import Learned, text_of

ROLES = frozenset({"system", "user", "assistant", "tool"})


class BadData(Exception):
    """What is wrong with the data."""


@dataclass
class TrainingData:
    """Counts, and pairs of user text and answer: a message, or labels by target."""

    examples: int = 0
    tokens: int = 0
    pairs: Learned[dict[str, Any]] = field(default_factory=Learned)

    def labels(self) -> dict[str, list[str]]:
        """Every label of each target, in the order of the data; for classifier data."""
        found: dict[str, dict[str, None]] = {}
        for _, labels in self.pairs:
            for target, values in labels.items():
                found.setdefault(target, {}).update(dict.fromkeys(values))
        return {target: list(values) for target, values in found.items()}


def _labels(row: dict[str, Any], number: int) -> dict[str, list[str]]:
    found = {}
    for target, value in row["labels"].items():
        labels = value if isinstance(value, list) else [value]
        if not labels or not all(isinstance(label, str) for label in labels):
            raise BadData(f"line {number}: labels are texts")
        found[target] = labels
    return found


def tokens_of(content: Any) -> int:
    """A rough count: four characters a token."""
    return len(json.dumps(content)) // 4 + 1


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
        else:
            turns = [m for m in row.get("messages") or () if m.get("role") == "user"]
            asked = row["text"] if "text" in row else text_of(turns[-1]["content"] if turns else "")
            data.pairs.append((asked, _labels(row, number)))
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
