"""Hugging Face's adapter in the public suite, on machines that pretend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_place import Account, hub

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_huggingface import Provider as HuggingFaceProvider
from ftbridge_huggingface.emulator import TOKEN


class Rehearsing:
    """The emulated Hub in the test's hand."""

    secrets: tuple[str, ...] = (TOKEN,)
    get_path = r"/api/jobs/sandbox/[0-9a-f]+$"
    create_path = r"/api/jobs/sandbox$"

    def __init__(self, served: Account, home: Path) -> None:
        self.account, self.home, self.injector = served, home, served.injector

    def connect(self, **options: str) -> Provider:
        quick = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05"}
        return HuggingFaceProvider(Context(self.home, quick | options))

    def advance(self, remote_id: str, state: State) -> None:
        job = self.account.store.jobs[remote_id]
        if state is State.RUNNING:
            self.account.store.begin(remote_id)
        elif state is State.SUCCEEDED:
            self.account.finish(job)

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.jobs[remote_id].stage = word

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.uploaded())


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with hub() as made:
        yield made


class TestHuggingFace(Facts, LifeCycle, OverTheWire):
    test_pages_are_turned = pytest.mark.long(OverTheWire.test_pages_are_turned)

    @pytest.fixture
    def sandbox(
        self, served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        served.point(monkeypatch, tmp_path)
        return Rehearsing(served, tmp_path)
