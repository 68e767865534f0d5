"""Fireworks' emulator behind the fault injector, its clock in the test's hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulated import Place, served

from ftbridge_fireworks.emulator import create_app

KEY = "fw_sandbox"
READY_SECONDS = 2.0


class Account(Place):
    """An emulated account of Fireworks."""

    def clock(self) -> float:
        """Each dataset puts it forward by the time that the vendor takes until it is READY."""
        return super().clock() + READY_SECONDS * len(self.uploaded())

    def uploaded(self) -> list[str]:
        """The datasets that hold a file."""
        datasets = self.store.datasets.values()
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
    with served(Account, create_app) as made:
        yield made
