"""One served account for the tests of Mistral, empty for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Switch
from mistral_world import KEY, Vendor

from ftbridge.testing.server import serve


@pytest.fixture(scope="session")
def mistral_served() -> Iterator[Vendor]:
    switch = Switch(None)
    with serve(switch) as url:
        yield Vendor(switch, url, Path())


@pytest.fixture
def mistral(mistral_served: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setenv("MISTRAL_API_KEY", KEY)
    mistral_served.reset(tmp_path)
    return mistral_served
