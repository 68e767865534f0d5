"""Training files as the vendor reads them: after a job was created, not at upload.

The shapes are those of the fine-tuning guide (chat, preference, reinforcement, and
prompt/completion for the two base models). The form of the messages ("Invalid file format.
Example 100, message 2 ...") was seen in recorded jobs; the exact sentences are our own.
Unverified: whether unknown keys of an example, or a blank line inside a file, are refused
(here they are), and what else the vendor checks (moderation, length in tokens).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.likeness import Learned, count_tokens, text_of

MIN_EXAMPLES = 10
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
MESSAGE_KEYS = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "function_call", "weight", "refusal"}
)
# method -> (name of the format, keys that must be there, keys that may be there)
FORMATS = {
    "supervised": ("fine-tune-chat", {"messages"}, {"tools", "parallel_tool_calls", "functions"}),
    "dpo": ("fine-tune-preference", {"input", "preferred_output", "non_preferred_output"}, set()),
    "completion": ("fine-tune-completion", {"prompt", "completion"}, set()),
}


class BadData(Exception):
    """What is wrong with a file, with the code the job will fail with."""

    def __init__(self, message: str, code: str = "invalid_format") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """What a tuned model learned to say."""

    content: str | None
    tool_calls: list[dict[str, Any]] | None = None


@dataclass
class TrainingData:
    """What is left of a training file: counts, and pairs of user text and answer."""

    examples: int = 0
    tokens: int = 0
    pairs: Learned[Answer] = field(default_factory=Learned)


def read_training_data(content: bytes, method: str) -> TrainingData:
    """Read a whole file; raises `BadData` at its first fault.

    ``method`` is the job's, or ``completion`` for supervised jobs on the two base models.
    """
    data = TrainingData()
    for number, item in _examples(content):
        where = f"Example {number}"
        _check_keys(item, method, where)
        if method == "dpo":
            pair = _preference(item, where)
        elif method == "reinforcement":
            pair = _reinforcement(item, where)
        elif method == "completion":
            pair = _completion(item, where)
        else:
            pair = _chat(item, where)
        data.examples += 1
        data.tokens += count_tokens(_all_text(item))
        data.pairs.append(pair)
    if data.examples < MIN_EXAMPLES:
        raise BadData(
            f"The file has {data.examples} example(s), at least {MIN_EXAMPLES} are needed.",
            "invalid_n_examples",
        )
    return data


def _examples(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = content.rstrip(b"\r\n").split(b"\n") if content.strip() else []
    for number, line in enumerate(lines, start=1):
        try:
            item = json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise BadData(f"Line {number} is not a JSON object: {error}.") from error
        if not isinstance(item, dict):
            raise BadData(f"Line {number} is not a JSON object.")
        yield number, item


def _check_keys(item: dict[str, Any], method: str, where: str) -> None:
    if method == "reinforcement":  # any further key is the graders' business
        if "messages" not in item:
            raise BadData(f"{where} has no key 'messages'.")
        return
    _, needed, allowed = FORMATS[method]
    for other, (name, keys, _) in FORMATS.items():
        if other != method and keys <= item.keys():
            raise BadData(f"The file is in the {name} format, but the method is {method}.")
    if missing := sorted(needed - item.keys()):
        raise BadData(f"{where} has no key '{missing[0]}'.")
    if unknown := sorted(item.keys() - needed - allowed):
        raise BadData(f"{where} has an unexpected key '{unknown[0]}'.")


def _messages(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise BadData(f"{where} needs at least one message.")
    for number, message in enumerate(value, start=1):
        _check_message(message, f"{where}, message {number}")
    return value


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict) or "role" not in message:
        raise BadData(f"{where}: 'role' is missing.")
    if message["role"] not in ROLES:
        raise BadData(f"{where}: the role {message['role']!r} is not known.")
    if unknown := sorted(message.keys() - MESSAGE_KEYS):
        raise BadData(f"{where}: the key '{unknown[0]}' is not known.")
    calls = message.get("tool_calls") or message.get("function_call") or message.get("refusal")
    content = message.get("content")
    if not isinstance(content, str | list) and not (content is None and calls):
        raise BadData(f"{where}: 'content' must be a string or an array of parts.")
    if "weight" in message and (message["role"], message["weight"]) not in {
        ("assistant", 0),
        ("assistant", 1),
    }:
        raise BadData(f"{where}: 'weight' is 0 or 1, on assistant messages only.")


def _last_user(messages: list[dict[str, Any]]) -> str:
    users = [text_of(each.get("content")) for each in messages if each["role"] == "user"]
    return users[-1] if users else ""


def _answer(messages: list[dict[str, Any]], where: str) -> tuple[int, Answer]:
    """The last assistant turn and its place."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message["role"] == "assistant":
            text = None if message.get("content") is None else text_of(message["content"])
            return index, Answer(text, message.get("tool_calls"))
    raise BadData(f"{where} needs at least one assistant message.")


def _chat(item: dict[str, Any], where: str) -> tuple[str, Answer]:
    messages = _messages(item["messages"], where)
    index, answer = _answer(messages, where)
    return _last_user(messages[:index]), answer


def _preference(item: dict[str, Any], where: str) -> tuple[str, Answer]:
    given = item["input"]
    if not isinstance(given, dict) or "messages" not in given:
        raise BadData(f"{where}: 'input' needs 'messages'.")
    if unknown := sorted(given.keys() - {"messages", "tools", "parallel_tool_calls"}):
        raise BadData(f"{where}: 'input' has an unexpected key '{unknown[0]}'.")
    messages = _messages(given["messages"], f"{where}, input")
    for key in ("preferred_output", "non_preferred_output"):
        output = _messages(item[key], f"{where}, {key}")
        if any(message["role"] not in {"assistant", "tool"} for message in output):
            raise BadData(f"{where}: '{key}' holds assistant and tool messages only.")
        _answer(output, f"{where}: '{key}'")
    return _last_user(messages), _answer(item["preferred_output"], where)[1]


def _reinforcement(item: dict[str, Any], where: str) -> tuple[str, Answer]:
    messages = _messages(item["messages"], where)
    if messages[-1]["role"] != "user":
        raise BadData(f"{where}: the last message must be the user's.")
    extras = [value for key, value in item.items() if key not in {"messages", "tools"}]
    known = next((value for value in extras if isinstance(value, str)), None)
    return _last_user(messages), Answer(json.dumps(extras) if known is None else known)


def _completion(item: dict[str, Any], where: str) -> tuple[str, Answer]:
    if not all(isinstance(item[key], str) for key in ("prompt", "completion")):
        raise BadData(f"{where}: 'prompt' and 'completion' are strings.")
    return item["prompt"], Answer(item["completion"])


def _all_text(value: Any) -> str:
    """Every string in an example, for the token count."""
    if isinstance(value, dict):
        return " ".join(_all_text(each) for each in value.values())
    if isinstance(value, list):
        return " ".join(_all_text(each) for each in value)
    return value if isinstance(value, str) else ""
