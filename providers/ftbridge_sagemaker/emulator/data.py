"""Training data of serverless jobs, as the service reads it.

Shapes: docs.aws.amazon.com sagemaker customizing-models-sft, -dpo, -rft (seen 2026-11-25):
``messages`` or ``prompt``/``completion``; ``chosen``/``rejected`` as messages or beside a
``prompt``; ``prompt`` as messages with ``reward_model``. Nova takes Bedrock's conversations
(nova-dpo, nova fine-tune-prepare-data). Unverified: whether further keys are refused (not here),
the wording of failures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ftbridge.testing.likeness import count_tokens, text_of


class BadData(Exception):
    """What is wrong with the data."""


def read(contents: Iterable[bytes], technique: str) -> Iterator[tuple[str, str, int]]:
    """Of each example the user's text, the answer, and tokens; raises `BadData`."""
    for content in contents:
        for number, line in enumerate(content.splitlines(), start=1):
            try:
                item = json.loads(line)
            except ValueError:
                raise BadData(f"line {number} is not JSON") from None
            if not isinstance(item, dict):
                raise BadData(f"line {number} is not a JSON object")
            pair = _READERS[technique](item, f"line {number}")
            yield *pair, count_tokens(" ".join(_texts(item)))


def _sft(item: dict[str, Any], where: str) -> tuple[str, str]:
    if "messages" in item:
        return _dialogue(item["messages"], where)
    if isinstance(item.get("prompt"), str) and isinstance(item.get("completion"), str):
        return item["prompt"], item["completion"]
    raise BadData(f"{where}: expected messages, or prompt and completion")


def _dpo(item: dict[str, Any], where: str) -> tuple[str, str]:
    if "messages" in item:  # Nova's: the last turn has candidates
        turns = item["messages"]
        labels = sorted(each.get("preferenceLabel") for each in turns[-1].get("candidates", ()))
        if labels != ["non-preferred", "preferred"]:
            raise BadData(f"{where}: the last turn needs a preferred and a non-preferred candidate")
        best = next(
            each for each in turns[-1]["candidates"] if each["preferenceLabel"] == "preferred"
        )
        return _last(turns[:-1], "user", where), text_of(best["content"])
    if not {"chosen", "rejected"} <= item.keys():
        raise BadData(f"{where}: expected chosen and rejected")
    if isinstance(item["chosen"], list):
        _dialogue(item["rejected"], where)
        return _dialogue(item["chosen"], where)
    if isinstance(item.get("prompt"), str) and isinstance(item["chosen"], str):
        return item["prompt"], item["chosen"]
    raise BadData(f"{where}: chosen and rejected are messages, or text beside a prompt")


def _graded(item: dict[str, Any], where: str) -> tuple[str, str]:
    prompt = item.get("prompt")
    if not isinstance(prompt, list) or not isinstance(item.get("reward_model"), dict):
        raise BadData(f"{where}: expected prompt (messages) and reward_model")
    return _last(prompt, "user", where), str(item["reward_model"].get("ground_truth", ""))


def _judged(item: dict[str, Any], where: str) -> tuple[str, str]:
    prompt = item.get("prompt")
    if not isinstance(prompt, list):
        raise BadData(f"{where}: expected prompt (messages)")
    return _last(prompt, "user", where), ""


_READERS = {"SFT": _sft, "DPO": _dpo, "RLVR": _graded, "RLAIF": _judged}


def _dialogue(messages: Any, where: str) -> tuple[str, str]:
    if not isinstance(messages, list) or not messages:
        raise BadData(f"{where}: messages are missing")
    if not isinstance(messages[-1], dict) or messages[-1].get("role") != "assistant":
        raise BadData(f"{where}: the last message is not the assistant's")
    if any(turn.get("role") == "system" for turn in messages[1:]):
        raise BadData(f"{where}: the system message must be the first")
    return _last(messages, "user", where), _last(messages, "assistant", where)


def _last(messages: list[Any], role: str, where: str) -> str:
    found = [turn for turn in messages if isinstance(turn, dict) and turn.get("role") == role]
    if not found:
        raise BadData(f"{where}: no message of the role {role}")
    return text_of(found[-1].get("content"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
