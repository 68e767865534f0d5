"""Azure ML's adapter in the public suite, on machines that pretend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure_ml_place import Account, workspace

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_azure_ml import Provider as AzureMlProvider
from ftbridge_azure_ml.emulator import STORAGE_KEY, TOKEN


class Rehearsing:
    """The emulated workspace in the test's hand."""

    secrets: tuple[str, ...] = (TOKEN, STORAGE_KEY)
    get_path = r"/workspaces/[^/]+/jobs/[^/]+$"
    create_path = get_path

    def __init__(self, served: Account, home: Path) -> None:
        self.account, self.home, self.injector = served, home, served.injector

    def connect(self, **options: str) -> Provider:
        return AzureMlProvider(Context(self.home, self.account.options() | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state is State.RUNNING:
            self.account.store.begin(remote_id, self.account.clock())
        elif state is State.SUCCEEDED:
            self.account.finish(remote_id)

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.uploaded())


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with workspace() as made:
        yield made


class TestAzureMl(Facts, LifeCycle, OverTheWire):
    test_pages_are_turned = pytest.mark.long(OverTheWire.test_pages_are_turned)

    @pytest.fixture
    def sandbox(
        self, served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        for name, value in served.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        return Rehearsing(served, tmp_path)
