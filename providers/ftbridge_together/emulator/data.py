"""Training files as the vendor's validation reads them, after the upload.

The formats are those of ``lib/constants.py`` and ``lib/utils/files.py`` of ``together`` 3.1.1:
conversation, instruction (prompt and completion), general (text), preference. Sentences and
the names PREFERENCE and GENERAL in the report are our own (unverified).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.likeness import Learned, count_tokens, text_of

ROLES = frozenset({"system", "user", "assistant", "tool"})
FORMATS = {
    "CONVERSATION": {"messages"},
    "INSTRUCTION": {"prompt", "completion"},
    "PREFERENCE": {"input", "preferred_output", "non_preferred_output"},
    "GENERAL": {"text"},
}


class BadData(Exception):
    """What is wrong with a file."""


@dataclass
class TrainingData:
    """What is left of a training file: its format, counts, pairs of user text and answer."""

    format: str = ""
    examples: int = 0
    tokens: int = 0
    tools: bool = False
    weights: bool = False
    pairs: Learned[str] = field(default_factory=Learned)


@dataclass(frozen=True)
class Report:
    """The outcome of validation: data, or an error."""

    data: TrainingData
    error: str | None = None

    def view(self, file_id: str) -> dict[str, Any]:
        """The ``validation_report``."""
        if self.error is not None:
            error = {"error": self.error, "error_type": "INVALID_FORMAT"}
            return {"valid": False, "file_id": file_id, **error}
        return {
            "valid": True,
            "file_id": file_id,
            "dataset_format": self.data.format,
            "dataset_has_message_weights": self.data.weights,
            "dataset_has_tools": self.data.tools,
            "nlines": self.data.examples,
        }


def read(content: bytes) -> Report:
    """Validate a whole file; the first fault ends it."""
    try:
        return Report(_read(content))
    except BadData as error:
        return Report(TrainingData(), str(error))


def _read(content: bytes) -> TrainingData:
    data = TrainingData()
    for number, line in enumerate(content.rstrip(b"\n").split(b"\n"), start=1):
        where = f"line {number}"
        try:
            item = json.loads(line)
        except ValueError as error:
            raise BadData(f"{where}: not valid JSON") from error
        if not isinstance(item, dict):
            raise BadData(f"{where}: not an object")
        kind = _format(item, where)
        if data.format not in ("", kind):
            raise BadData(f"{where}: {kind} in a file of {data.format}")
        data.format = kind
        data.pairs.append(_pair(item, kind, where))
        data.examples += 1
        data.tokens += count_tokens(_strings(item))
        data.tools |= "tools" in item
        data.weights |= any("weight" in each for each in item.get("messages", []))
    return data


def _format(item: dict[str, Any], where: str) -> str:
    fitting = [name for name, keys in FORMATS.items() if keys <= item.keys()]
    if len(fitting) != 1:
        raise BadData(f"{where}: fits {len(fitting)} of the formats {', '.join(FORMATS)}")
    unknown = item.keys() - FORMATS[fitting[0]] - {"tools", "weight"}
    if unknown:
        raise BadData(f"{where}: unexpected column {sorted(unknown)[0]}")
    return fitting[0]


def _pair(item: dict[str, Any], kind: str, where: str) -> tuple[str, str]:
    if kind == "GENERAL":
        return "", _text(item["text"], where)
    if kind == "INSTRUCTION":
        return _text(item["prompt"], where), _text(item["completion"], where)
    if kind == "CONVERSATION":
        turns = _messages(item["messages"], where)
        if not any(turn["role"] == "assistant" for turn in turns):
            raise BadData(f"{where}: no assistant message")
        return _last(turns, "user"), _last(turns, "assistant")
    given = item["input"]
    if not isinstance(given, dict) or "messages" not in given:
        raise BadData(f"{where}: 'input' needs 'messages'")
    sides = [_messages(item[key], where) for key in ("preferred_output", "non_preferred_output")]
    if any(len(side) != 1 or side[0]["role"] != "assistant" for side in sides):
        raise BadData(f"{where}: each output is one assistant message")
    return _last(_messages(given["messages"], where), "user"), _last(sides[0], "assistant")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadData(f"{where}: not a string")
    return value


def _messages(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise BadData(f"{where}: no messages")
    before = ""
    for turn in value:
        role = turn.get("role") if isinstance(turn, dict) else None
        if role not in ROLES:
            raise BadData(f"{where}: the role {role!r} is not known")
        if role == before and role != "tool":
            raise BadData(f"{where}: two turns of {role} in a row")
        if not isinstance(turn.get("content"), str | list) and not turn.get("tool_calls"):
            raise BadData(f"{where}: a message without content")
        if turn.get("weight", 1) not in (0, 1):
            raise BadData(f"{where}: weight is 0 or 1")
        before = role
    return value


def _last(turns: list[dict[str, Any]], role: str) -> str:
    texts = [text_of(turn.get("content")) for turn in turns if turn["role"] == role]
    return texts[-1] if texts else ""


def _strings(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(_strings(each) for each in value.values())
    if isinstance(value, list):
        return " ".join(_strings(each) for each in value)
    return value if isinstance(value, str) else ""
