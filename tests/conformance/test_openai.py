"""OpenAI's adapter in the public suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Account, account

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_openai import Provider as OpenAIProvider

SECONDS = {State.VALIDATING: 0, State.QUEUED: 4, State.RUNNING: 10, State.SUCCEEDED: 30}


class Rehearsing:
    """The emulator, its clock in the test's hand."""

    secrets = ("sk-sandbox",)
    get_path = r"/fine_tuning/jobs/[^/]+$"

    def __init__(self, served: Account, home: Path) -> None:
        self.account, self.home = served, home
        self.injector = served.injector

    def connect(self, **options: str) -> Provider:
        return OpenAIProvider(Context(self.home, options))

    def advance(self, remote_id: str, state: State) -> None:
        self.account.ahead = SECONDS.get(state, self.account.ahead)

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.uploaded())


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with account() as made:
        yield made


class TestOpenAI(Facts, LifeCycle, OverTheWire):
    @pytest.fixture
    def sandbox(
        self, served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        for name, value in served.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        return Rehearsing(served, tmp_path)

    def test_pages_of_events_are_turned(self, sandbox: Rehearsing, data: Path) -> None:
        provider = sandbox.connect()
        file = provider.upload(self.checked(provider, data))
        request = provider.request(self.spec(provider, data), file.id, None, "ftb-long")
        request["method"]["supervised"] = {"hyperparameters": {"n_epochs": 20}}
        long = provider.create(request, "ftb-long")
        sandbox.advance(long.id, State.SUCCEEDED)
        assert len(provider.events(long.id)) > 200
