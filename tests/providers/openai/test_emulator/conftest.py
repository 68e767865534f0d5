"""The real SDK against the emulator over a real socket, with a clock that tests move."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from ftbridge.testing.server import serve
from ftbridge_openai.emulator import Store, create_app

START = 1_800_000_000.0
BASE = "gpt-4o-mini-2024-07-18"


def chat_row(number: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": f"please translate the word number{number}"},
            {"role": "assistant", "content": f"word {number}"},
        ]
    }


def preference_row(number: int) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": f"question {number}"}]},
        "preferred_output": [{"role": "assistant", "content": f"good {number}"}],
        "non_preferred_output": [{"role": "assistant", "content": f"bad {number}"}],
    }


def reward_row(number: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"what is {number} plus 1"}]
    return {"messages": messages, "reference": str(number + 1)}


ROWS = {"supervised": chat_row, "dpo": preference_row, "reinforcement": reward_row}


@dataclass
class World:
    """One emulated account, its SDK client, and its clock."""

    app: Starlette
    now: float = START
    url: str = ""
    clients: list[OpenAI] = field(default_factory=list)

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    @property
    def client(self) -> OpenAI:
        return self.clients[0] if self.clients else self.connect("sk-sandbox")

    def connect(self, key: str) -> OpenAI:
        client = OpenAI(api_key=key, base_url=f"{self.url}/v1", max_retries=0)
        self.clients.append(client)
        return client

    def rows(self, kind: str = "supervised", count: int = 12) -> str:
        return self.upload("\n".join(json.dumps(ROWS[kind](number)) for number in range(count)))

    def upload(self, content: str | bytes, name: str = "train.jsonl") -> str:
        raw = content.encode() if isinstance(content, str) else content
        return self.client.files.create(file=(name, raw), purpose="fine-tune").id

    def job(self, **changes: Any) -> FineTuningJob:
        asked: dict[str, Any] = {"model": BASE, **changes}
        if "training_file" not in asked:
            asked["training_file"] = self.rows()
        return self.client.fine_tuning.jobs.create(**asked)

    def get(self, job_id: str) -> FineTuningJob:
        return self.client.fine_tuning.jobs.retrieve(job_id)

    def finished(self, **changes: Any) -> FineTuningJob:
        job = self.job(**changes)
        self.now += 21
        return self.get(job.id)


@dataclass
class Switch:
    """One server for all tests, since a stop takes 0.2 s; each test puts its own app behind it."""

    app: Starlette
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="package")
def switch() -> Iterator[Switch]:
    made = Switch(create_app())
    with serve(made) as made.url:
        yield made


@pytest.fixture
def world(switch: Switch) -> Iterator[World]:
    made: World = World(create_app(clock=lambda: made.now), url=switch.url)
    switch.app = made.app
    yield made
    for client in made.clients:
        client.close()
