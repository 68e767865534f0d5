"""Files with labels, policies of a project and of the whole machine, and what commands say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ftbridge import cli
from ftbridge.policy import layers


@dataclass
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Ask = Callable[..., Said]


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Ask:
    """Run a command with ``--json``."""

    def asked(*args: object) -> Said:
        capfd.readouterr()
        code = cli.run([*map(str, args), "--json"])
        return Said(code, *capfd.readouterr())

    return asked


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a project without a settings file."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the machine's policy would be; not there yet."""
    path = tmp_path / "etc" / "policy.toml"
    path.parent.mkdir()
    monkeypatch.setattr(layers, "MACHINE_FILE", path)
    return path


def rows(mark: str, count: int = 12) -> str:
    """Chats as JSONL, each with a mark of its own."""
    return "".join(
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"{mark} {number}"},
                    {"role": "assistant", "content": "yes"},
                ]
            }
        )
        + "\n"
        for number in range(count)
    )


@pytest.fixture
def data(project: Path) -> Path:
    """A data file in the project."""
    path = project / "train.jsonl"
    path.write_text(rows("colour"))
    return path


def label(path: Path, privacy: str) -> None:
    """Put a sidecar beside a file."""
    path.with_name(path.name + ".ftbridge.toml").write_text(f'privacy = "{privacy}"\n')
