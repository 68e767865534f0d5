"""The command line in this process, against an emulated account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, account, write_chats

from ftbridge import cli


@pytest.fixture(scope="session")
def served() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def openai(served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An empty account that the environment points at; home is ``tmp_path/home``."""
    served.reset()
    for name, value in served.env(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    return served


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


@dataclass
class Cli:
    """Runs commands with ``--json``."""

    capsys: pytest.CaptureFixture[str]
    folder: Path

    def __call__(self, *args: str) -> Said:
        self.capsys.readouterr()
        code = cli.run([*args, "--json"])
        out, err = self.capsys.readouterr()
        said = Said(code, out, err)
        assert "Traceback" not in out + err, said
        assert json.loads(out), said
        return said

    def submit(self, name: str = "train", *more: str) -> Said:
        """Submit a file of that name, made on first use."""
        path = self.folder / f"{name}.jsonl"
        if not path.exists():
            write_chats(path)
        return self("submit", str(path), "--provider", "openai", "--yes", *more)

    def job(self, name: str = "train", *more: str) -> str:
        """Submit and return the job's id."""
        said = self.submit(name, *more)
        assert said.code == 0, said
        return str(said.json["job"])


@pytest.fixture
def ftbridge(capsys: pytest.CaptureFixture[str], tmp_path: Path, openai: Account) -> Cli:
    return Cli(capsys, tmp_path)
