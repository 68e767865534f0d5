"""Children to kill, and the two places at which they work."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, account, write_chats

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass
class Ended:
    """How a child ended: its exit code (minus the signal's number), and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Children:
    """Forks a real process for each command line."""

    zygote: subprocess.Popen[str]
    folder: Path
    pid: int = 0
    born: threading.Event = field(default_factory=threading.Event)

    def run(
        self,
        args: list[str],
        env: dict[str, str],
        *,
        crash: str = "",
        path: list[str] | None = None,
    ) -> Ended:
        names = {name: str(self.folder / name) for name in ("out", "err", "log")}
        Path(names["log"]).unlink(missing_ok=True)
        order = {"args": args, "env": env, "crash": crash, "path": path or []} | names
        assert self.zygote.stdin and self.zygote.stdout
        self.born.clear()
        self.zygote.stdin.write(json.dumps(order) + "\n")
        self.zygote.stdin.flush()
        self.pid = int(self.zygote.stdout.readline())
        self.born.set()
        code = int(self.zygote.stdout.readline())
        out, err = (Path(names[name]).read_text() for name in ("out", "err"))
        return Ended(code, out, err)

    def points(self) -> list[str]:
        """Where the last child has been."""
        return (self.folder / "log").read_text().split()

    def kill(self) -> None:
        """SIGKILL for the child that runs now."""
        assert self.born.wait(10)
        os.kill(self.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    with subprocess.Popen(
        [sys.executable, str(HERE / "zygote.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as zygote:
        yield Children(zygote, tmp_path_factory.mktemp("children"))
        assert zygote.stdin
        zygote.stdin.close()


@pytest.fixture(scope="session")
def openai() -> Iterator[Account]:
    with account() as made:
        yield made


def write_model(folder: Path) -> Path:
    """A folder that passes for a base model; nothing here ever loads it."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(8)
    (folder / "model.safetensors").write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("data")
    return write_chats(folder / "train.jsonl"), write_chats(folder / "valid.jsonl")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("base") / "model")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the matrix of this run: where the process was killed, and whether all held."""
    held: dict[str, list[bool]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            name, _, case = report.nodeid.rstrip("]").partition("[")
            if "crash/test_" in name and case:
                place = name.split("test_")[1].split(".")[0]
                held.setdefault(f"{place:8} {case}", []).append(outcome == "passed")
    if held:
        terminalreporter.section("kill -9 matrix")
        for case, results in sorted(held.items()):
            terminalreporter.line(f"{'held' if all(results) else 'LOST':5} {case}")
        total = sum(all(results) for results in held.values())
        terminalreporter.line(f"{total} of {len(held)} cases held")
