"""A model behind OpenAI's endpoint, asked by OpenAI's own SDK over a real socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from ftbridge.cli import run
from ftbridge.errors import CredentialsError, DataError
from ftbridge.gateway import application
from ftbridge.job import Model
from ftbridge.provider import ChatReply, ChatRequest
from ftbridge.testing.server import serve

CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
ASK: Any = [{"role": "user", "content": "hello"}]


class Place:
    """A provider that answers by what it is asked, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        content = request.messages[-1]["content"]
        if content == "no key":
            raise CredentialsError("no key", hint="set it")
        if content == "bad":
            raise DataError("too long")
        calls = (CALL,) if request.tools else ()
        return ChatReply(f"{model} {content} ü", calls, 5, 3, "length", 0.1)

    def chat_stream(self, model: str, request: ChatRequest) -> Iterator[str]:
        self.asked.append(request)
        if request.messages[-1]["content"] == "bad":
            raise DataError("too long")
        yield from (model, " said", " hello ü")
        if request.messages[-1]["content"] == "breaks":
            raise DataError("lost the thread")


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def url(place: Place) -> Iterator[str]:
    model: Any = Model(place, "ft:1")  # type: ignore[arg-type]
    with serve(application("router", model, "secret-key")) as address:
        yield address


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="secret-key", max_retries=0)


def test_a_whole_answer(client: openai.OpenAI, place: Place) -> None:
    made = client.chat.completions.create(
        model="router", messages=ASK, max_completion_tokens=9, temperature=0.5, seed=3, user="u"
    )
    assert made.choices[0].message.content == "ft:1 hello ü"
    assert made.choices[0].finish_reason == "length" and made.model == "router"
    assert made.usage is not None and made.usage.total_tokens == 8
    asked = place.asked[0]
    assert (asked.max_tokens, asked.temperature, asked.seed) == (9, 0.5, 3)
    assert [row.id for row in client.models.list()] == ["router"]


def test_an_answer_in_pieces(client: openai.OpenAI) -> None:
    pieces = [
        chunk.choices[0]
        for chunk in client.chat.completions.create(model="router", messages=ASK, stream=True)
    ]
    assert [piece.delta.content for piece in pieces[:-1]] == ["ft:1", " said", " hello ü"]
    assert pieces[0].delta.role == "assistant" and pieces[-1].finish_reason == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls(client: openai.OpenAI, place: Place, stream: bool) -> None:
    made: Any = client.chat.completions.create(  # type: ignore[call-overload]
        model="router", messages=ASK, tools=[TOOL], stream=stream
    )
    if stream:
        chunks = [chunk.choices[0] for chunk in made]
        calls, finish = chunks[0].delta.tool_calls, chunks[-1].finish_reason
    else:
        calls, finish = made.choices[0].message.tool_calls, made.choices[0].finish_reason
    assert (calls[0].function.name, calls[0].function.arguments) == ("find", '{"a": 1}')
    assert finish == "tool_calls" and place.asked[0].tools == [TOOL]


def test_what_is_refused(client: openai.OpenAI, place: Place) -> None:
    create = client.chat.completions.create
    with pytest.raises(openai.NotFoundError, match="ask for `router`"):
        create(model="other", messages=ASK)
    with pytest.raises(openai.BadRequestError, match="top_p: is not supported here"):
        create(model="router", messages=ASK, top_p=0.5)
    with pytest.raises(openai.BadRequestError, match="messages"):
        create(model="router", messages=[])
    assert place.asked == []
    with pytest.raises(openai.InternalServerError, match="no key; set it"):
        create(model="router", messages=[{"role": "user", "content": "no key"}])
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match="too long"):
            create(model="router", messages=[{"role": "user", "content": "bad"}], stream=stream)
    with pytest.raises(openai.APIError, match="lost the thread"):
        list(create(model="router", messages=[{"role": "user", "content": "breaks"}], stream=True))


def test_without_the_key_nothing_is_answered(url: str, place: Place) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        for path in ("models", "chat/completions"):
            said = httpx.request(
                "GET" if path == "models" else "POST", f"{url}/v1/{path}", headers=headers
            )
            assert said.status_code == 401 and said.json()["error"]["code"] == "invalid_api_key"
    assert httpx.get(f"{url}/health").json() == {"status": "ok"} and place.asked == []
    big = httpx.post(
        f"{url}/v1/chat/completions",
        content=b"x" * (17 * 1024 * 1024),
        headers={"authorization": "Bearer secret-key"},
    )
    assert big.status_code == 400


def test_another_host_needs_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FTBRIDGE_SERVE_KEY", raising=False)
    assert run(["serve", "openai:gpt-4.1", "--host", "0.0.0.0"]) == 2
    assert "FTBRIDGE_SERVE_KEY" in capsys.readouterr().err


def test_the_command_serves_until_it_is_stopped(closed_world: Any) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ftbridge", "serve", "openai:gpt-4.1", "--name", "mine"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OPENAI_API_KEY": "sk-none", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline()
        assert line.startswith("mine at http://127.0.0.1:")
        address = line.split()[2].rstrip(";")
        assert httpx.get(f"{address}/models").json()["data"][0]["id"] == "mine"
        process.send_signal(signal.SIGINT)
    assert process.wait(60) in (0, 130)
