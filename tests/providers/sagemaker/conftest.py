"""An emulator behind a socket, and moto's S3."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from emulated import Switch
from sagemaker_world import World

from ftbridge.testing import s3
from ftbridge.testing.server import serve
from ftbridge_sagemaker.emulator import create_app


@pytest.fixture(scope="session")
def storage_url() -> str:
    return s3.start()


@pytest.fixture(scope="module")
def _switch(storage_url: str) -> Iterator[tuple[Switch, str]]:
    made = Switch(create_app(storage_url))
    with serve(made) as url:
        yield made, url


@pytest.fixture
def world(_switch: tuple[Switch, str], storage_url: str) -> Iterator[World]:
    server, url = _switch
    bucket = f"test-{uuid4().hex[:12]}"
    app = create_app(storage_url, clock=lambda: made.clock())  # noqa: PLW0108 -- made comes after
    made = World(app, url, storage_url, bucket)
    made.storage.create_bucket(Bucket=bucket)
    server.app = made.app
    yield made
    made.store.close()
    for client in made.made.values():
        client.close()
    assert made.faults == []
