"""Reads the training file: canonical chats, preferences or texts, every error with its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import TrainerError

CHAT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "metadata"})
ROLES = frozenset({"system", "user", "assistant", "tool"})


@dataclass(frozen=True)
class ChatRow:
    """One conversation. `messages` are ready for a chat template; `trained[i]` says whether
    message i is an assistant's and carries weight."""

    where: str  # FILE:LINE
    messages: list[dict[str, Any]]
    trained: list[bool]
    tools: list[dict[str, Any]] | None
    fields: dict[str, Any] = field(default_factory=dict)  # what a grader reads: the other keys


@dataclass(frozen=True)
class PairRow:
    """Two answers to one prompt, each a list of messages."""

    where: str
    prompt: list[dict[str, Any]]
    chosen: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None


@dataclass(frozen=True)
class TextRow:
    """A plain text, for continued pre-training."""

    where: str
    text: str


Row = ChatRow | PairRow | TextRow


def sha256_file(file: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def read_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a file in order; blank lines are skipped, nothing else is."""
    count = 0
    try:
        with file.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    count += 1
                    yield _parse(line, f"{file.name}:{number}")
    except OSError as error:
        raise TrainerError(
            "data_missing", f"cannot read {file}: {error.strerror}", "check the path in the recipe"
        ) from error
    except UnicodeDecodeError as error:
        raise TrainerError(
            "data_invalid", f"{file.name} is not UTF-8 text", "save the file as UTF-8"
        ) from error
    if count == 0:
        raise TrainerError("data_empty", f"{file.name} holds no example", "give at least one")


def invalid(where: str, problem: str, hint: str) -> TrainerError:
    """A data error; it names the place and never quotes the data."""
    return TrainerError("data_invalid", f"{where}: {problem}", hint)


def _parse(line: str, where: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise invalid(where, "not valid JSON", "one JSON object a line") from error
    if not isinstance(row, dict):
        raise invalid(where, "not a JSON object", "one JSON object a line")
    if isinstance(row.get("text"), str):
        return TextRow(where, row["text"])
    tools = row.get("tools") or None
    if tools is not None and not isinstance(tools, list):
        raise invalid(where, "tools is not a list", "give a list of function definitions")
    if "chosen" in row or "rejected" in row:
        prompt, chosen, rejected = (
            [message(entry, i, where) for i, entry in enumerate(_turns(row, name, where))]
            for name in ("prompt", "chosen", "rejected")
        )
        return PairRow(where, prompt, chosen, rejected, tools)
    messages = [message(entry, i, where) for i, entry in enumerate(_turns(row, "messages", where))]
    trained = [_is_trained(entry, i, where) for i, entry in enumerate(row["messages"])]
    fields = {key: value for key, value in row.items() if key not in CHAT_KEYS}
    return ChatRow(where, messages, trained, tools, fields)


def _turns(row: dict[str, Any], name: str, where: str) -> list[Any]:
    turns = row.get(name)
    if not isinstance(turns, list) or not turns:
        raise invalid(where, f"no list of {name}", f'the line needs {{"{name}": [...]}}')
    return turns


def _is_trained(message: dict[str, Any], index: int, where: str) -> bool:
    weight = message.get("weight", 1)
    if weight is None:
        weight = 1
    if weight not in (0, 1):
        raise invalid(where, f"message {index + 1} has a weight other than 0 or 1", "use 0 or 1")
    return bool(message["role"] == "assistant" and weight == 1)


def message(given: Any, index: int, where: str) -> dict[str, Any]:
    """A message as templates expect it: text content, tool-call arguments as objects."""
    if not isinstance(given, dict) or given.get("role") not in ROLES:
        raise invalid(
            where,
            f"message {index + 1} has no known role",
            f"roles are {', '.join(sorted(ROLES))}",
        )
    ready: dict[str, Any] = {
        "role": given["role"],
        "content": _text(given.get("content"), index, where),
    }
    for key in ("name", "tool_call_id"):
        if given.get(key) is not None:
            ready[key] = given[key]
    if given.get("tool_calls"):
        calls = given["tool_calls"]
        if not isinstance(calls, list):
            raise invalid(where, f"message {index + 1}: tool_calls is not a list", "give a list")
        ready["tool_calls"] = [_tool_call(call, index, where) for call in calls]
    return ready


def _text(content: Any, index: int, where: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise invalid(where, f"message {index + 1}: content is neither text nor parts", "fix it")
    parts: list[str] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind != "text" or not isinstance(part.get("text"), str):
            raise invalid(
                where,
                f"message {index + 1} has a content part that is not text",
                "this trainer takes text only; remove images and audio",
            )
        parts.append(part["text"])
    return "".join(parts)


def _tool_call(call: Any, index: int, where: str) -> dict[str, Any]:
    """A copy whose `arguments` are an object: they are a JSON string in the data, decoded once."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise invalid(
            where, f"message {index + 1} has a tool call without a function name", "name it"
        )
    arguments = function.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError as error:
            raise invalid(
                where,
                f"message {index + 1}: tool-call arguments are not valid JSON",
                "arguments are a JSON object written as a string",
            ) from error
    if not isinstance(arguments, dict):
        encoded_twice = isinstance(arguments, str)
        raise invalid(
            where,
            f"message {index + 1}: tool-call arguments are "
            + ("JSON-encoded twice" if encoded_twice else "not a JSON object"),
            "encode them exactly once" if encoded_twice else "give an object",
        )
    return {**call, "function": {**function, "arguments": arguments}}
