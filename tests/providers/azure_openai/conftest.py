"""The recorder behind a socket, and the environment that points at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure_recorder import ARM_TOKEN, KEY, Recorder
from starlette.applications import Starlette
from starlette.routing import Route

from ftbridge.testing.server import serve


@pytest.fixture(scope="module")
def served() -> Iterator[Recorder]:
    made = Recorder()
    methods = ["GET", "POST", "PUT", "DELETE"]
    with serve(Starlette(routes=[Route("/{path:path}", made.answer, methods=methods)])) as made.url:
        yield made


@pytest.fixture
def azure(served: Recorder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    served.seen.clear()
    served.plan.clear()
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", served.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_MANAGEMENT_TOKEN", ARM_TOKEN)
    return served
