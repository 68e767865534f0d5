"""No test can spend money, leave this machine or touch a real home."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulated import Account

VENDORS = ("OPENAI_", "AZURE_", "TOGETHER_", "MISTRAL_", "FIREWORKS_", "ANTHROPIC_", "AWS_",
           "GOOGLE_", "GEMINI_", "HF_TOKEN", "HUGGING_FACE_", "MODAL_", "REPLICATE_", "DSTACK_",
           "FTBRIDGE_", "NO_COLOR", "FORCE_COLOR")  # fmt: skip
_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex


class OutsideWorld(AssertionError):
    """A test has tried to reach an address that is not this machine's own."""


def _require_loopback(family: int, address: Any) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    try:
        inside = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        inside = host in ("localhost", "")
    if not inside:
        raise OutsideWorld(f"a test tried to reach {address}")


def _guarded(self: socket.socket, address: Any) -> None:
    _require_loopback(self.family, address)
    _connect(self, address)


def _guarded_ex(self: socket.socket, address: Any) -> int:
    _require_loopback(self.family, address)
    return _connect_ex(self, address)


@pytest.fixture(autouse=True)
def closed_world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loopback only; no vendor key, no setting of the developer's; a home of its own."""
    monkeypatch.setattr(socket.socket, "connect", _guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", _guarded_ex)
    for name in list(os.environ):
        if name.startswith(VENDORS) and not name.startswith("FTBRIDGE_TEST_"):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home") / "ftbridge"
    monkeypatch.setenv("FTBRIDGE_HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # boto3 looks for keys there
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    return home


@pytest.fixture(scope="session")
def served() -> Iterator[Account]:
    """One emulated OpenAI account for the whole session."""
    from emulated import account

    with account() as made:
        yield made


@pytest.fixture
def vendor(served: Account, closed_world: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """That account, empty, quick, and pointed at by the environment."""
    served.reset(speed=200)
    for name, value in served.env(closed_world).items():
        monkeypatch.setenv(name, value)
    return served
