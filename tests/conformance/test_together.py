"""Together's adapter in the public suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import emulated
import pytest
from emulated import Place

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_together import Provider as TogetherProvider
from ftbridge_together.emulator import JOB_TIMELINE, create_app

VALIDATION_SECONDS = 3
RAW = {State.QUEUED: "queued", State.RUNNING: "running", State.SUCCEEDED: "completed"}


class Account(Place):
    """The emulator behind the injector."""

    def clock(self) -> float:
        """Each file puts it forward by the time that Together takes to validate one."""
        done = [file for file in self.store.files.values() if file.preprocessed_at is not None]
        return super().clock() + VALIDATION_SECONDS * len(done)


class Rehearsing:
    """The emulator, its clock in the test's hand."""

    secrets: tuple[str, ...] = ("together-sandbox",)
    get_path = r"/fine-tunes/ft-[^/]+$"

    def __init__(self, served: Account, home: Path) -> None:
        self.account, self.home, self.injector = served, home, served.injector

    def connect(self, **options: str) -> Provider:
        quick = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05"}
        return TogetherProvider(Context(self.home, quick | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state in RAW:
            self.account.ahead = JOB_TIMELINE.starts(RAW[state]) + 1
        elif state is State.CANCELLED:
            self.account.ahead += 5

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.store.files)


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with emulated.served(Account, create_app) as made:
        yield made


class TestTogether(Facts, LifeCycle, OverTheWire):
    @pytest.fixture
    def sandbox(
        self, served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        sandbox = TogetherProvider.sandbox()
        assert sandbox is not None
        for name, value in sandbox.variables(served.url).items():
            monkeypatch.setenv(name, value)
        return Rehearsing(served, tmp_path)
