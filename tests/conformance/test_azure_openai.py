"""Azure OpenAI's adapter in the public suite, in both forms of address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import emulated
import pytest
from emulated import Place

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_azure_openai import Provider as AzureProvider
from ftbridge_azure_openai.emulator import create_app

IMPORT_SECONDS = 2
SECONDS = {State.VALIDATING: 0, State.QUEUED: 4, State.RUNNING: 10, State.SUCCEEDED: 30}


class Account(Place):
    """The emulator behind the injector."""

    def clock(self) -> float:
        """Each file puts it forward by the time that Azure takes to import one."""
        return super().clock() + IMPORT_SECONDS * len(self.store.files)


class Rehearsing:
    """The emulator, its clock in the test's hand."""

    get_path = r"/fine_tuning/jobs/[^/]+$"

    def __init__(self, served: Account, home: Path, secret: str, options: dict[str, str]) -> None:
        self.account, self.home, self.options = served, home, options
        self.injector = served.injector
        self.secrets = (secret,)

    def connect(self, **options: str) -> Provider:
        return AzureProvider(Context(self.home, self.options | options))

    def advance(self, remote_id: str, state: State) -> None:
        self.account.ahead = SECONDS.get(state, self.account.ahead)

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        files = [f for f in self.account.store.files.values() if f.purpose == "fine-tune"]
        return len(self.account.store.jobs), len(files)


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with emulated.served(Account, create_app) as made:
        yield made


class TestV1(Facts, LifeCycle, OverTheWire):
    options: dict[str, str] = {}  # noqa: RUF012

    @pytest.fixture
    def sandbox(
        self, served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        sandbox = AzureProvider.sandbox()
        assert sandbox is not None
        for name, value in sandbox.variables(served.url).items():
            monkeypatch.setenv(name, value)
        quick = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05",
                 "arm_url": served.url, "resource": "sandbox"}  # fmt: skip
        key = sandbox.variables(served.url)["AZURE_OPENAI_API_KEY"]
        return Rehearsing(served, tmp_path, key, quick | self.options)


class TestClassic(TestV1):
    options = {"api_version": "2025-04-01-preview"}  # noqa: RUF012
