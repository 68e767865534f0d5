"""Commands run in this process: exit code, the one JSON document, and what else was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from emulated import write_chats

from ftbridge.cli import run


@dataclass
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on stdout; fails if there is anything else."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document

    @property
    def error(self) -> dict[str, Any]:
        error = self.json["error"]
        assert error.keys() >= {"code", "message", "hint", "where"}
        assert error["message"]
        return dict(error)


Ask = Callable[..., Answer]


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Ask:
    """Run a command; nothing may look like a traceback, whatever it was asked."""

    def asked(*args: object) -> Answer:
        capfd.readouterr()
        code = run([str(arg) for arg in args])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        assert "fault in ftbridge" not in out + err
        return Answer(code, out, err)

    return asked


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_chats(tmp_path / "train.jsonl", "colour")


@pytest.fixture
def ended(ask: Ask, data: Path, vendor: object) -> str:
    """The id of a job that has succeeded."""
    answer = ask("submit", data, "--provider", "openai", "--yes", "--watch", "--json")
    assert answer.code == 0, answer.out
    return str(answer.json["job"])
