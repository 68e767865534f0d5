"""Mistral's adapter in the public suite."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_mistral import Provider as MistralProvider
from ftbridge_mistral.emulator import JOB_TIMELINE, create_app

RAW = {State.VALIDATING: "VALIDATING", State.QUEUED: "QUEUED", State.RUNNING: "RUNNING"}


class Rehearsing:
    """The emulator behind the fault injector, its clock in the test's hand."""

    secrets: tuple[str, ...] = ("mistral-sandbox",)
    get_path = r"/fine_tuning/jobs/[^/]+$"

    def __init__(self, app: Any, injector: Injector, url: str, home: Path) -> None:
        self.app, self.injector, self.url, self.home = app, injector, url, home
        self.ahead = 0.0

    def connect(self, **options: str) -> Provider:
        return MistralProvider(
            Context(self.home, {"base_url": self.url, "patience_seconds": "1",
                                "settle_seconds": "0.1", "poll_seconds": "0.05"} | options)
        )  # fmt: skip

    def advance(self, remote_id: str, state: State) -> None:
        if state is State.SUCCEEDED:
            self.ahead += JOB_TIMELINE.seconds + 1
        elif state in RAW:
            self.ahead = JOB_TIMELINE.starts(RAW[state]) + 1
        else:
            self.ahead += 10

    def say(self, remote_id: str, word: str) -> None:
        self.app.state.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        store = self.app.state.store
        return len(store.jobs), len(store.files)


class TestMistral(Facts, LifeCycle, OverTheWire):
    @pytest.fixture
    def sandbox(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsal]:
        monkeypatch.setenv("MISTRAL_API_KEY", "mistral-sandbox")
        made: list[Rehearsing] = []
        app = create_app(clock=lambda: time.time() + (made[0].ahead if made else 0.0))
        with serve(app) as direct:
            injector = Injector(direct)
            with injector.serve() as url:
                made.append(Rehearsing(app, injector, url, tmp_path))
                yield made[0]
