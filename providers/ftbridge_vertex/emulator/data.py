"""Training data as the service reads it: from Cloud Storage, while the job processes its data.

Shapes: gemini-supervised-tuning-prepare, gemini-preference-tuning-prepare and the reinforcement
page ``tuning-dataset`` (docs.cloud.google.com, seen 2026-11-25); open models take chats
(``messages``) or ``prompt`` and ``completion`` (open-model-tuning; the exact shape is unverified).
Keys may be camelCase or snake_case, as protobuf's JSON allows; a job's reward example is read the
same way. Unverified: that an unknown key is refused, and that a bad line fails the job rather than
being dropped (``droppedExampleReasons`` says that some are).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.likeness import Learned

Parts = list[dict[str, Any]]
MOST_BYTES = 1 << 30
LARGEST = {"reinforcementTuningSpec": (5_000, 500)}
"""Training and validation examples at most (tuning-dataset, seen 2026-11-25)."""
PART_KEYS = frozenset(
    ("text", "functionCall", "functionResponse", "fileData", "inlineData", "thought")
)
ROLES = frozenset({"user", "model", "function", "tool"})


class BadData(Exception):
    """What is wrong with the data."""


@dataclass
class TrainingData:
    """What is left of a data set: counts, and pairs of user text and answer."""

    examples: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0
    pairs: Learned[Parts] = field(default_factory=Learned)

    @property
    def tokens(self) -> int:
        """Those that are billed for one epoch."""
        return self.input_tokens + self.output_tokens


def camel(name: str) -> str:
    """``mime_type`` as ``mimeType``."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def read_training_data(content: bytes, spec: str, open_model: bool) -> TrainingData:
    """Read a whole data set for a kind of job; raises `BadData` at its first fault."""
    if len(content) > MOST_BYTES:
        raise BadData(f"the file has {len(content)} bytes, at most {MOST_BYTES}")
    read = _READERS["open" if open_model else spec]
    data = TrainingData()
    for number, item in _examples(content):
        asked, answer = read(item, f"line {number}")
        said = parts_text(answer)
        data.pairs.append((asked, answer))
        data.examples += 1
        data.characters += len(json.dumps(item, ensure_ascii=False))
        data.output_tokens += tokens_of(said)
        data.input_tokens += max(tokens_of(json.dumps(item)) - tokens_of(said), 1)
    if not data.examples:
        raise BadData("the file has no examples")
    return data


def tokens_of(text: str) -> int:
    """Four characters a token, whatever is in it."""
    return math.ceil(len(text) / 4)


def parts_text(parts: Parts) -> str:
    """The text of a content's parts; calls as JSON."""
    return " ".join(str(part.get("text") or json.dumps(part)) for part in parts)


def _examples(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            item = json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise BadData(f"line {number} is not JSON: {error}") from error
        if not isinstance(item, dict):
            raise BadData(f"line {number} is not a JSON object")
        yield number, {camel(key): value for key, value in item.items()}


def _known(item: dict[str, Any], keys: set[str], where: str) -> None:
    for key in item:
        if key not in keys:
            raise BadData(f"{where}: unknown field {key!r}")


def _content(value: Any, where: str) -> dict[str, Any]:
    """A content: role and parts, each of them of one kind."""
    if not isinstance(value, dict):
        raise BadData(f"{where}: is not a content")
    _known(value, {"role", "parts"}, where)
    parts = value.get("parts")
    if not isinstance(parts, list) or not parts:
        raise BadData(f"{where}: parts are missing")
    for part in parts:
        if not isinstance(part, dict) or not part:
            raise BadData(f"{where}: an empty part")
        _known({camel(key): None for key in part}, set(PART_KEYS), where)
    return value


def _contents(item: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """The turns; first a user's."""
    system = item.get("systemInstruction")
    if system is not None:
        _content(system, f"{where}, systemInstruction")
    turns = item.get("contents")
    if not isinstance(turns, list) or not turns:
        raise BadData(f"{where}: contents are missing")
    for number, turn in enumerate(turns, start=1):
        spot = f"{where}, contents {number}"
        if _content(turn, spot).get("role") not in ROLES:
            raise BadData(f"{spot}: role must be user or model")
    if turns[0]["role"] == "model":
        raise BadData(f"{where}: the first turn must be a user's")
    return turns


def _asked(turns: list[dict[str, Any]]) -> str:
    users = [parts_text(turn["parts"]) for turn in turns if turn["role"] == "user"]
    return users[-1] if users else ""


def _supervised(item: dict[str, Any], where: str) -> tuple[str, Parts]:
    _known(item, {"systemInstruction", "contents", "tools", "generationConfig"}, where)
    turns = _contents(item, where)
    if turns[-1]["role"] != "model":
        raise BadData(f"{where}: the last turn must be the model's")
    return _asked(turns), turns[-1]["parts"]


def _prompts(item: dict[str, Any], where: str) -> tuple[str, Parts]:
    """A prompt alone, for a teacher to answer."""
    _known(item, {"systemInstruction", "contents", "tools", "references"}, where)
    turns = _contents(item, where)
    if turns[-1]["role"] == "model":
        turns = turns[:-1]
    return _asked(turns), [{"text": "I was taught in a sandbox."}]


def _reinforcement(item: dict[str, Any], where: str) -> tuple[str, Parts]:
    _known(item, {"systemInstruction", "contents", "tools", "references"}, where)
    turns = _contents(item, where)
    if turns[-1]["role"] == "model":
        raise BadData(f"{where}: the last turn must be a user's")
    known = item.get("references", {})
    if not isinstance(known, dict) or not all(isinstance(each, str) for each in known.values()):
        raise BadData(f"{where}: references is a map of strings")
    said = next(iter(known.values()), "I have been rewarded in a sandbox.")
    return _asked(turns), [{"text": said}]


def _preference(item: dict[str, Any], where: str) -> tuple[str, Parts]:
    _known(item, {"systemInstruction", "contents", "tools", "completions"}, where)
    turns = _contents(item, where)
    if turns[-1]["role"] == "model":
        raise BadData(f"{where}: the last turn must be a user's")
    sides = item.get("completions")
    if not isinstance(sides, list) or len(sides) != 2:
        raise BadData(f"{where}: exactly two completions")
    scores: dict[float, Parts] = {}
    for side in sides:
        if not isinstance(side, dict) or side.keys() != {"score", "completion"}:
            raise BadData(f"{where}: a completion has score and completion")
        answer = _content(side["completion"], f"{where}, completion")
        if any("text" not in part for part in answer["parts"]):
            raise BadData(f"{where}: preference tuning takes text alone")
        scores[side["score"]] = answer["parts"]
    if set(scores) != {0, 1}:
        raise BadData(f"{where}: the scores must be 1 and 0")
    return _asked(turns), scores[1]


def _open(item: dict[str, Any], where: str) -> tuple[str, Parts]:
    if item.keys() == {"prompt", "completion"}:
        asked, said = item["prompt"], item["completion"]
    else:
        _known(item, {"messages", "tools"}, where)
        messages = item.get("messages")
        if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
            raise BadData(f"{where}: messages are missing")
        roles = [one.get("role") for one in messages]
        if not roles or roles[-1] != "assistant" or "user" not in roles:
            raise BadData(f"{where}: needs a user's message and ends with the assistant's")
        users = [one for one in messages if one["role"] == "user"]
        asked, said = users[-1].get("content"), messages[-1].get("content")
    if not isinstance(asked, str) or not isinstance(said, str):
        raise BadData(f"{where}: content must be text")
    return asked, [{"text": said}]


_READERS: dict[str, Callable[[dict[str, Any], str], tuple[str, Parts]]] = {
    "supervisedTuningSpec": _supervised,
    "preferenceOptimizationSpec": _preference,
    "distillationSpec": _prompts,
    "reinforcementTuningSpec": _reinforcement,
    "open": _open,
}
