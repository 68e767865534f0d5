"""A recorder and an emulator behind sockets, and what points at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Switch
from fireworks_spec import KEY, usual
from fireworks_world import World
from recording import Recorder, recording

from ftbridge.provider import Context
from ftbridge.testing.server import serve
from ftbridge_fireworks import Provider
from ftbridge_fireworks.emulator import create_app


@pytest.fixture(scope="module")
def _served() -> Iterator[Recorder]:
    with recording(usual) as made:
        yield made


@pytest.fixture
def recorder(_served: Recorder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    _served.clear()
    monkeypatch.setenv("FIREWORKS_API_KEY", KEY)
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "acme")
    monkeypatch.delenv("FIREWORKS_BASE_URL", raising=False)
    return _served


@pytest.fixture
def provider(recorder: Recorder, tmp_path: Path) -> Provider:
    return Provider(Context(tmp_path, {"base_url": recorder.url, "poll_seconds": "0.01"}))


@pytest.fixture(scope="module")
def _switch() -> Iterator[tuple[Switch, str]]:
    made = Switch(create_app())
    with serve(made) as url:
        yield made, url


@pytest.fixture
def world(_switch: tuple[Switch, str]) -> Iterator[World]:
    server, url = _switch
    made: World = World(create_app(clock=lambda: made.now), url)
    server.app = made.app
    yield made
    for client in made.clients:
        client.close()
