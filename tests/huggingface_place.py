"""An emulated Hub behind the fault injector, whose machines pretend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from emulated import Place, point, served
from pretended import Pretended

from ftbridge_huggingface.emulator import TOKEN, Job, create_app


class Account(Place):
    """The Hub of one case."""

    def reset(self, speed: float = 1.0, **more: Any) -> Any:
        """Begin anew: no bucket, no job, no fault. Jobs wait until they are told."""
        self.ahead = 0.0
        given = {"start": Pretended, "held": True} | more
        self.switch.app = self.create(speed=speed, clock=self.clock, **given)
        self.injector.heal()
        return self.store

    def uploaded(self) -> list[Path]:
        """The data files."""
        return [path for bucket in self.store.buckets.values() for path in bucket.files("files")]

    def finish(self, job: Job) -> None:
        """Let a job begin, and end well."""
        self.store.begin(job.id)
        machine = job.machines[-1]
        assert isinstance(machine, Pretended)
        machine.finish()

    def env(self, home: Path, **more: str) -> dict[str, str]:
        """What points ftbridge at it, with little patience."""
        return {
            "FTBRIDGE_HOME": str(home),
            "HF_TOKEN": TOKEN,
            "HF_ENDPOINT": self.url,
            "HF_HUB_OFFLINE": "0",
            "FTBRIDGE_HUGGINGFACE_SETTLE_SECONDS": "0.1",
            "FTBRIDGE_HUGGINGFACE_POLL_SECONDS": "0.05",
            "FTBRIDGE_HUGGINGFACE_PATIENCE_SECONDS": "1",
            "FTBRIDGE_HUGGINGFACE_REQUESTS_PER_SECOND": "200",
        } | more

    def point(self, patch: pytest.MonkeyPatch, home: Path) -> None:
        """Let this process lead there."""
        point(patch, self.env(home))


@contextmanager
def hub() -> Iterator[Account]:
    """Serve one."""
    with served(Account, create_app) as made:
        yield made
