"""The recorder behind a socket, and the environment that points at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure_recorder import ARM_TOKEN, KEY, usual
from recording import Recorder, recording


@pytest.fixture(scope="module")
def served() -> Iterator[Recorder]:
    with recording(usual) as made:
        yield made


@pytest.fixture
def azure(served: Recorder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    served.clear()
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", served.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_MANAGEMENT_TOKEN", ARM_TOKEN)
    return served
