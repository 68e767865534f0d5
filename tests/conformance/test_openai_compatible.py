"""The adapter of compatible servers in the public suite: OpenAI's wire as it is, and Nebius's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulated
import pytest
from emulated import Place

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_openai_compatible import Provider as CompatibleProvider
from ftbridge_openai_compatible.emulator import SANDBOX_KEY, create_app

SECONDS = {State.VALIDATING: 0, State.QUEUED: 4, State.RUNNING: 10, State.SUCCEEDED: 30}


class Rehearsing:
    """The emulator, its clock in the test's hand."""

    secrets = (SANDBOX_KEY,)
    get_path = r"/fine_tuning/jobs/[^/]+$"

    def __init__(self, served: Place, home: Path, options: dict[str, str]) -> None:
        self.account, self.home, self.options = served, home, options
        self.injector = served.injector

    def connect(self, **options: str) -> Provider:
        return CompatibleProvider(Context(self.home, self.options | options))

    def advance(self, remote_id: str, state: State) -> None:
        self.account.ahead = SECONDS.get(state, self.account.ahead)

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        files = [f for f in self.account.store.files.values() if f.purpose == "fine-tune"]
        return len(self.account.store.jobs), len(files)


@pytest.fixture(scope="module")
def served() -> Iterator[Place]:
    with emulated.served(Place, create_app) as made:
        yield made


class TestPlain(Facts, LifeCycle, OverTheWire):
    path = "/v1"
    options: dict[str, str] = {}  # noqa: RUF012

    @pytest.fixture
    def sandbox(self, served: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
        served.reset()
        for name in ("OPENAI_COMPATIBLE_API_KEY", "NEBIUS_API_KEY"):
            monkeypatch.setenv(name, SANDBOX_KEY)
        quick = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05"}
        address = {"base_url": served.url + self.path}
        return Rehearsing(served, tmp_path, quick | address | self.options)

    def model(self, provider: Provider) -> str:
        return "gpt-4.1-mini-2025-04-14"  # any; the plain profile has no default


class TestNebius(TestPlain):
    path = "/nebius/v1"
    options = {"profile": "nebius"}  # noqa: RUF012

    def model(self, provider: Provider) -> str:
        return "meta-llama/Llama-3.1-8B-Instruct"

    def test_an_adapter_comes_home(
        self, provider: Provider, sandbox: Any, data: Path, tmp_path: Path
    ) -> None:
        job = self.create(provider, data)
        sandbox.advance(job.id, State.SUCCEEDED)
        out = provider.download(job.id, tmp_path / "adapter")
        assert [path.name for path in out.iterdir()] == ["adapter_config.json"]

    def test_metrics_come_from_checkpoints(
        self, provider: Provider, sandbox: Any, data: Path
    ) -> None:
        job = self.create(provider, data)
        sandbox.advance(job.id, State.SUCCEEDED)
        events, metrics = provider.history(job.id)
        assert events and {metric.name for metric in metrics} >= {"train_loss"}
        assert [event.time for event in events] == sorted(event.time for event in events)
