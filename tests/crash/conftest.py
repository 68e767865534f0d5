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
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_openai.emulator import Store, create_app

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


@dataclass
class Switch:
    """One server for all cases; each puts its own emulator behind it."""

    app: Any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass
class OpenAI:
    """An emulated account behind the injector."""

    switch: Switch
    injector: Injector
    url: str

    def reset(self, speed: float = 1.0) -> Store:
        self.switch.app = create_app(speed=speed)
        self.injector.heal()
        return self.store

    @property
    def store(self) -> Store:
        store = self.switch.app.state.store
        assert isinstance(store, Store)
        return store

    def env(self, home: Path, **more: str) -> dict[str, str]:
        return {
            "FTBRIDGE_HOME": str(home),
            "OPENAI_API_KEY": "sk-sandbox",
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "FTBRIDGE_OPENAI_SETTLE_SECONDS": "0.1",
            "FTBRIDGE_OPENAI_POLL_SECONDS": "0.05",
            "FTBRIDGE_OPENAI_PATIENCE_SECONDS": "1",
        } | more


@pytest.fixture(scope="session")
def openai() -> Iterator[OpenAI]:
    switch = Switch(create_app())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield OpenAI(switch, injector, stack.enter_context(injector.serve()))


def write_data(folder: Path) -> tuple[Path, Path]:
    """A training and a validation file of a dozen chats each."""
    made = []
    for name in ("train", "valid"):
        path = folder / f"{name}.jsonl"
        rows = (
            {"messages": [{"role": "user", "content": f"{name} {number}"},
                          {"role": "assistant", "content": "yes"}]}
            for number in range(12)
        )  # fmt: skip
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        made.append(path)
    return made[0], made[1]


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
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("base") / "model")
