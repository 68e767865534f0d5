"""An emulated workspace behind a socket."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from azure_ml_world import World
from emulated import Switch

from ftbridge.testing.server import serve
from ftbridge_azure_ml.emulator import create_app


@pytest.fixture(scope="module")
def _switch() -> Iterator[tuple[Switch, str, httpx.Client]]:
    made = Switch(None)
    with serve(made) as url, httpx.Client(timeout=60) as client:
        yield made, url, client


@pytest.fixture
def world(_switch: tuple[Switch, str, httpx.Client]) -> Iterator[World]:
    server, url, client = _switch
    server.app = create_app(speed=100)
    made = World(server.app, url, client)
    yield made
    made.store.close()
