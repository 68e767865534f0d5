"""A trained model of the emulator, held-out rows, and a count of the chat calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.provider import ChatReply, ChatRequest

JUDGE = "gpt-4.1-2025-04-14"
Say = Callable[[str, str], str]


@pytest.fixture
def bridge(vendor: Account) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


@pytest.fixture
def job(bridge: ftbridge.Bridge, tmp_path: Path) -> ftbridge.Job:
    data = write_chats(tmp_path / "train.jsonl", "colour")
    return bridge.submit(bridge.plan(data, provider="openai")).wait(0.05)


@pytest.fixture
def held(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "held.jsonl", "number", count=30)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Say], list[str]]:
    """Let one model of OpenAI's judge by a function of both answers; gives what it was asked."""
    from ftbridge_openai.adapter import OpenAIProvider

    real = OpenAIProvider.chat

    def install(say: Say) -> list[str]:
        asked: list[str] = []

        def chat(self: Any, model: str, request: ChatRequest) -> ChatReply:
            if model != JUDGE:
                return real(self, model, request)
            text = str(request.messages[-1]["content"])
            asked.append(text)
            found = [re.search(rf"<answer_{x}>\n(.*?)\n</answer_{x}>", text, re.S) for x in "ab"]
            first, second = (match[1] if match else "" for match in found)
            return ChatReply(say(first, second), prompt_tokens=100, completion_tokens=1)

        monkeypatch.setattr(OpenAIProvider, "chat", chat)
        return asked

    return install
