"""An emulated workspace behind the fault injector, its jobs in the test's hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pretended
from emulated import Place, served

from ftbridge_azure_ml.emulator import (
    CONTAINER,
    GROUP,
    REGION,
    STORAGE,
    SUBSCRIPTION,
    TOKEN,
    WORKSPACE,
    create_app,
)
from ftbridge_azure_ml.settings import ROOT


class Account(Place):
    """The workspace of one case."""

    def reset(self, speed: float = 1.0, **more: Any) -> Any:
        """Begin anew: no job, no blob, no fault. Jobs wait until told, unless ``rents``."""
        if self.switch.app is not None:
            self.store.close()
        self.ahead = 0.0
        self.switch.app = self.create(
            **{"speed": speed, "clock": self.clock, "rents": False} | more
        )
        self.injector.heal()
        return self.store

    def uploaded(self) -> list[str]:
        """The data files."""
        return [name for name, _ in self.store.disk.blobs(CONTAINER, f"{ROOT}/files/")]

    def out(self, name: str) -> Path:
        """Where a job's output lies."""
        found: Path = self.store.disk.path(CONTAINER, f"{ROOT}/jobs/{name}/out")
        return found

    def finish(self, name: str) -> None:
        """Let a job end well."""
        pretended.leave(self.out(name))
        self.store.finish(name, self.clock())

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        own = "FTBRIDGE_AZURE_ML_"
        return {
            "FTBRIDGE_HOME": str(home),
            "AZURE_ML_TOKEN": TOKEN,
            f"{own}BASE_URL": self.url,
            f"{own}BLOB_URL": f"{self.url}/{STORAGE}",
            f"{own}SUBSCRIPTION_ID": SUBSCRIPTION,
            f"{own}RESOURCE_GROUP": GROUP,
            f"{own}WORKSPACE": WORKSPACE,
            f"{own}REGION": REGION,
            f"{own}SETTLE_SECONDS": "0.1",
            f"{own}POLL_SECONDS": "0.05",
            f"{own}PATIENCE_SECONDS": "1",
            f"{own}REQUESTS_PER_SECOND": "200",
        } | more

    def options(self) -> dict[str, str]:
        """The same for an adapter that no configuration was read for."""
        own = "FTBRIDGE_AZURE_ML_"
        return {
            name.removeprefix(own).lower(): value
            for name, value in self.env(Path()).items()
            if name.startswith(own)
        }


@contextmanager
def workspace() -> Iterator[Account]:
    """Serve one."""
    with served(Account, create_app) as made:
        yield made
        made.store.close()
