"""Fireworks' emulator behind the fault injector, its clock in the test's hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulated import Switch

from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_fireworks.emulator import Store, create_app

KEY = "fw_sandbox"
READY_SECONDS = 2.0


@dataclass
class Account:
    """An emulated account. ``ahead`` seconds are what its clock is in front of ours."""

    switch: Switch
    injector: Injector
    url: str
    ahead: float = 0.0

    def reset(self, speed: float = 1.0) -> Store:
        """Begin anew with an empty account and no faults."""
        self.ahead = 0.0
        self.switch.app = create_app(speed=speed, clock=self.clock)
        self.injector.heal()
        return self.store

    def clock(self) -> float:
        """Each dataset puts it forward by the time that the vendor takes until it is READY."""
        return time.time() + self.ahead + READY_SECONDS * len(self.uploaded())

    def pass_time(self, seconds: float) -> None:
        """Put the clock forward."""
        self.ahead += seconds

    @property
    def store(self) -> Store:
        """What the vendor knows."""
        store = self.switch.app.state.store
        assert isinstance(store, Store)
        return store

    def uploaded(self) -> list[str]:
        """The datasets that hold a file."""
        datasets = self.switch.app.state.store.datasets.values()
        return [dataset.id for dataset in datasets if dataset.files]

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        return {
            "FTBRIDGE_HOME": str(home),
            "FIREWORKS_API_KEY": KEY,
            "FIREWORKS_ACCOUNT_ID": "sandbox",
            "FIREWORKS_BASE_URL": self.url,
            "FTBRIDGE_FIREWORKS_SETTLE_SECONDS": "0.1",
            "FTBRIDGE_FIREWORKS_POLL_SECONDS": "0.05",
            "FTBRIDGE_FIREWORKS_PATIENCE_SECONDS": "1",
            "FTBRIDGE_FIREWORKS_REQUESTS_PER_SECOND": "200",
        } | more


@contextmanager
def account() -> Iterator[Account]:
    """Serve one."""
    switch = Switch(create_app())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield Account(switch, injector, stack.enter_context(injector.serve()))
