"""An emulated Hub, and what points at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_place import Account, hub

import ftbridge
from ftbridge.provider import Context
from ftbridge_huggingface import Provider


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with hub() as made:
        yield made


@pytest.fixture
def place(served: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """One whose machines pretend."""
    served.reset()
    served.point(monkeypatch, tmp_path)
    return served


@pytest.fixture
def provider(place: Account, tmp_path: Path) -> Provider:
    return Provider(Context(tmp_path, {"patience_seconds": "0.1"}))


@pytest.fixture
def bridge(place: Account, tmp_path: Path) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge(tmp_path)
    yield made
    made.ledger.close()
