"""One served account for the tests of Together, empty for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Switch
from together_world import KEY, Vendor

from ftbridge.testing.server import serve


@pytest.fixture(scope="session")
def vendor_served() -> Iterator[Vendor]:
    switch = Switch(None)
    with serve(switch) as url:
        yield Vendor(switch, url, Path())


@pytest.fixture
def together(vendor_served: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setenv("TOGETHER_API_KEY", KEY)
    vendor_served.reset(tmp_path)
    return vendor_served
