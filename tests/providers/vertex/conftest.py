"""An emulated project behind a socket, and what points Google's SDKs at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from emulated import Switch
from vertex_world import World

from ftbridge.testing.server import serve
from ftbridge_vertex.emulator import create_app


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
    for client in (*made.clients, made.http):
        client.close()
