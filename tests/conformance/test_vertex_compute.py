"""Vertex AI's custom jobs in the public suite; machines pretend."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pretended import Pretended
from vertex_sandbox import Project, project

from ftbridge import clock
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_vertex import ComputeProvider
from ftbridge_vertex.emulator import BUCKET, TOKEN, custom_run

QUICK = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05",
         "bucket": BUCKET}  # fmt: skip
PATIENCE = 120


def until(reached: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE
    while not reached():
        assert clock.monotonic() < deadline
        clock.sleep(0.01)


@dataclass
class Held(Pretended):
    """A machine that waits for the test."""

    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def alive(self) -> bool:
        return not self.gone.is_set()

    def join(self, seconds: float = PATIENCE) -> None:
        self.gone.wait(min(seconds, 0.02))

    def finish(self) -> None:
        super().finish()
        self.gone.set()

    def kill(self) -> None:
        super().kill()
        self.gone.set()

    def reclaim(self) -> None:
        self.ended(75)
        self.gone.set()


class Rehearsing:
    """The emulator, its machines in the test's hand."""

    secrets: tuple[str, ...] = (TOKEN,)
    get_path = r"/customJobs/[^/]+$"
    create_path = r"/customJobs$"

    def __init__(self, served: Project, home: Path) -> None:
        self.account, self.home, self.injector = served, home, served.injector

    def connect(self, **options: str) -> Provider:
        return ComputeProvider(Context(self.home, QUICK | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state in (State.VALIDATING, State.QUEUED):
            return
        job = self.account.store.custom_jobs[remote_id.rpartition("/")[2]]
        if state is State.CANCELLED:
            job.run.thread.join(PATIENCE)
            return
        until(lambda: job.state not in ("JOB_STATE_PENDING", "JOB_STATE_CANCELLING"))
        if state is State.SUCCEEDED and job.run.machine.alive:
            job.run.machine.finish()
            job.run.thread.join(PATIENCE)

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        files = [name for _, name in self.account.store.objects if "/files/" in name]
        return len(self.account.store.custom_jobs), len(files)


@pytest.fixture(scope="module")
def served() -> Iterator[Project]:
    with project() as made:
        yield made


class TestVertexCompute(Facts, LifeCycle, OverTheWire):
    @pytest.mark.long
    def test_pages_are_turned(self, provider: Provider, sandbox: Any, data: Path) -> None:
        sandbox.account.store.hold()  # 250 machines are not what is asked here
        super().test_pages_are_turned(provider, sandbox, data)

    @pytest.fixture
    def sandbox(
        self, served: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Rehearsal]:
        served.reset()
        for name, value in served.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(custom_run, "Machine", Held)
        yield Rehearsing(served, tmp_path)
        for job in served.store.custom_jobs.values() if served.store.rents else ():
            until(lambda job=job: job.run.machine is not None or not job.run.thread.is_alive())
            if job.run.machine is not None and job.run.machine.alive:
                job.run.stop()
            job.run.thread.join(PATIENCE)

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        options = {"machine": "g2-standard-4"}
        return super().spec(provider, data, **{"options": options, **changes})
