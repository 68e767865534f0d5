"""From held-out chats to prompts and the answers they should get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
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
    """One question: the messages before the last assistant turn, and that turn's text."""

    line: int
    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] | None
    reference: str
    fingerprint: bytes


def load(dataset: Dataset, limit: int | None) -> list[Row]:
    """The rows of a held-out file; those beyond ``limit`` are left out."""
    rows: list[Row] = []
    for number, example in _chats(dataset):
        if limit is None or len(rows) < limit:
            rows.append(_row(number, example))
    return rows


def shots(path: Path | None) -> list[dict[str, Any]]:
    """Few-shot examples as turns, system messages left out (the question brings its own)."""
    if path is None:
        return []
    turns = []
    for _, example in _chats(Dataset(path)):
        turns += [_plain(message) for message in example.messages if message.role != "system"]
    return turns


def request(row: Row, examples: Sequence[dict[str, Any]], max_tokens: int) -> ChatRequest:
    """The prompt of a row, with examples between the system message and the question."""
    head = [message for message in row.messages[:1] if message["role"] == "system"]
    rest = row.messages[len(head) :]
    return ChatRequest([*head, *examples, *rest], tools=row.tools, max_tokens=max_tokens)


def is_right(answer: str, reference: str) -> bool:
    """Exact match, spaces at the ends aside."""
    return answer.strip() == reference.strip()


def label_set(rows: Sequence[Row]) -> frozenset[str] | None:
    """The references, where they repeat like labels; None for free text."""
    labels = frozenset(row.reference.strip() for row in rows)
    return labels if len(labels) <= min(FEW_LABELS, len(rows) // 2) else None


def _chats(dataset: Dataset) -> Iterator[tuple[int, Chat]]:
    for number, example in dataset.examples():
        if not isinstance(example, Chat):
            raise DataError(
                f"{dataset.path}:{number}: not a chat; exact match needs an assistant's answer",
                hint="evaluate on a file of kind chat",
                where=f"{dataset.path}:{number}",
            )
        yield number, example


def _row(number: int, example: Chat) -> Row:
    last = example.messages[-1]
    if last.tool_calls:
        raise DataError(
            f"line {number}: the reference is a tool call; exact match compares text only",
            hint="leave such rows out",
            where=f"line {number}",
        )
    tools = tuple(msgspec.to_builtins(example.tools)) if example.tools else None
    return Row(
        line=number,
        messages=tuple(_plain(message) for message in example.messages[:-1]),
        tools=tools,
        reference=text_of(last),
        fingerprint=prompt_fingerprint(example),
    )


def _plain(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(message, weight=None))
    return found
