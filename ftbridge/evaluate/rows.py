"""From held-out chats to prompts and the answers they should get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ftbridge.dataset import Chat, Dataset
from ftbridge.dataset.fingerprint import prompt_fingerprint
from ftbridge.dataset.types import text_of
from ftbridge.errors import DataError
from ftbridge.provider import ChatRequest

FEW_LABELS = 200
"""Up to this many different references count as a label set."""


@dataclass(frozen=True)
class Row:
    """One question: the messages before the last assistant turn; that turn's text and calls."""

    line: int
    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] | None
    reference: str
    calls: tuple[dict[str, Any], ...]
    fingerprint: bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)


def load(dataset: Dataset, limit: int | None) -> list[Row]:
    """The rows of a held-out file; those beyond ``limit`` are left out."""
    rows: list[Row] = []
    for number, example in _chats(dataset):
        if limit is None or len(rows) < limit:
            rows.append(_row(number, example))
    return rows


def shots(dataset: Dataset, count: int | None = None) -> tuple[dict[str, Any], ...]:
    """Few-shot examples as turns, system messages left out (the question brings its own).

    Args:
        count: so many, at even distances over the file; None: all.
    """
    examples = [example for _, example in _chats(dataset)]
    if count is not None and count < len(examples):
        examples = [examples[position * len(examples) // count] for position in range(count)]
    return tuple(
        _plain(message)
        for example in examples
        for message in example.messages
        if message.role != "system"
    )


def request(
    row: Row,
    max_tokens: int,
    examples: Sequence[dict[str, Any]] = (),
    prompt: str | None = None,
) -> ChatRequest:
    """What a model is asked for a row.

    Args:
        examples: turns that stand between the system message and the question.
        prompt: the system message instead of the row's own, which ``{system}`` in it stands for.
    """
    head = [message for message in row.messages[:1] if message["role"] == "system"]
    rest = row.messages[len(head) :]
    if prompt is not None:
        own = head[0]["content"] if head else ""
        head = [{"role": "system", "content": prompt.replace("{system}", _words(own))}]
    return ChatRequest([*head, *examples, *rest], tools=row.tools, max_tokens=max_tokens)


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def label_set(rows: Sequence[Row]) -> frozenset[str] | None:
    """The references, where they repeat like labels; None for free text."""
    if any(row.calls for row in rows):
        return None
    labels = frozenset(row.reference.strip() for row in rows)
    return labels if len(labels) <= min(FEW_LABELS, len(rows) // 2) else None


def _chats(dataset: Dataset) -> Iterator[tuple[int, Chat]]:
    for number, example in dataset.examples():
        if not isinstance(example, Chat):
            raise DataError(
                f"{dataset.path}:{number}: not a chat; the answer to compare with is missing",
                hint="evaluate on a file of kind chat",
                where=f"{dataset.path}:{number}",
            )
        yield number, example


def _row(number: int, example: Chat) -> Row:
    last = example.messages[-1]
    # Through JSON, since a tool's schema is kept as the bytes it was written in.
    tools = (
        tuple(msgspec.json.decode(msgspec.json.encode(example.tools))) if example.tools else None
    )
    return Row(
        line=number,
        messages=tuple(_plain(message) for message in example.messages[:-1]),
        tools=tools,
        reference=text_of(last),
        calls=tuple(msgspec.to_builtins(last.tool_calls)) if last.tool_calls else (),
        fingerprint=prompt_fingerprint(example),
        metadata=example.metadata or {},
    )


def _plain(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(message, weight=None))
    return found
