"""Emulated accounts behind the fault injector, OpenAI's first, and data to train on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from starlette.types import Receive, Scope, Send

from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_openai.emulator import create_app


def point(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Let this process lead where a sandbox says; what an SDK reads at its import too."""
    for name, value in variables.items():
        patch.setenv(name, value)
    if variables.get("HF_HUB_OFFLINE") == "0":
        from huggingface_hub import constants

        patch.setattr(constants, "HF_HUB_OFFLINE", False)


@dataclass
class Switch:
    """One server for all cases, since starting one takes time; each case puts its own emulator
    behind it."""

    app: Any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass
class Place:
    """An emulated account behind the fault injector. ``ahead`` seconds are what its clock is in
    front of ours; ``create`` makes the application."""

    create: Callable[..., Any]
    switch: Switch
    injector: Injector
    url: str
    ahead: float = 0.0

    def reset(self, speed: float = 1.0) -> Any:
        """Begin anew with an empty account and no faults."""
        self.ahead = 0.0
        self.switch.app = self.create(speed=speed, clock=self.clock)
        self.injector.heal()
        return self.store

    def clock(self) -> float:
        """The emulator's time."""
        return time.time() + self.ahead

    def pass_time(self, seconds: float) -> None:
        """Put the clock forward."""
        self.ahead += seconds

    @property
    def store(self) -> Any:
        """What the vendor knows."""
        return self.switch.app.state.store


P = TypeVar("P", bound=Place)


@contextmanager
def served(kind: type[P], create: Callable[..., Any]) -> Iterator[P]:
    """Serve one on a socket of its own."""
    switch = Switch(create())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield kind(create, switch, injector, stack.enter_context(injector.serve()))


class Account(Place):
    """An emulated OpenAI account."""

    def uploaded(self) -> list[str]:
        """The ids of the files that were sent, not those that jobs made."""
        return [f.id for f in self.store.files.values() if f.purpose == "fine-tune"]

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        return {
            "FTBRIDGE_HOME": str(home),
            "OPENAI_API_KEY": "sk-sandbox",
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "FTBRIDGE_OPENAI_SETTLE_SECONDS": "0.1",
            "FTBRIDGE_OPENAI_POLL_SECONDS": "0.05",
            "FTBRIDGE_OPENAI_PATIENCE_SECONDS": "1",
            "FTBRIDGE_OPENAI_REQUESTS_PER_SECOND": "200",
        } | more


@contextmanager
def account() -> Iterator[Account]:
    """Serve one."""
    with served(Account, create_app) as made:
        yield made


def write_chats(path: Path, mark: str = "", count: int = 12) -> Path:
    """A file of chats; ``mark`` makes its content its own."""
    rows = (
        {"messages": [{"role": "user", "content": f"{mark or path.stem} {number}"},
                      {"role": "assistant", "content": "yes"}]}
        for number in range(count)
    )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
