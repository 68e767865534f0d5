"""Ray's adapter in the public suite, against a real head; its jobs wait for the test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_head import PATIENCE, TOKEN, Head, head, until

from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider, RemoteJob
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge.testing.faults import replaced
from ftbridge.testing.proxy import Injector
from ftbridge_ray import Provider as RayProvider

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class Rehearsing:
    """A head in the test's hand."""

    secrets: tuple[str, ...] = (TOKEN,)
    get_path = r"/api/jobs/[^/]+$"
    create_path = r"/api/jobs/$"

    def __init__(self, served: Head, injector: Injector, url: str, home: Path) -> None:
        self.head, self.injector, self.url, self.home = served, injector, url, home
        self.storage = served.storage / uuid.uuid4().hex
        self.storage.mkdir()

    def connect(self, **options: str) -> Provider:
        quick = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05",
                 "storage": str(self.storage), "python": str(self.head.python)}  # fmt: skip
        return RayProvider(Context(self.home, {"base_url": self.url} | quick | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state in (State.VALIDATING, State.QUEUED):
            return
        if state is State.SUCCEEDED:
            out = self.storage / "jobs" / remote_id / "out"
            out.mkdir(parents=True, exist_ok=True)
            (out / "finish").touch()
        provider = self.connect()
        until(lambda: provider.get(remote_id).state is state, PATIENCE)

    def say(self, remote_id: str, word: str) -> None:
        self.injector.on("GET", self.get_path, replaced("status", word), times=None)

    def count(self) -> tuple[int, int]:
        provider = self.connect()
        assert isinstance(provider, RayProvider)
        jobs = provider._jobs.call("GET", "/api/jobs/")
        ours = [row for row in jobs if str(self.storage) in row["entrypoint"]]
        return len(ours), len(self._files())  # Ray may show a deleted job once more

    def _files(self) -> list[Path]:
        return list((self.storage / "files").glob("*"))

    def clear(self) -> None:
        """Stop and forget all jobs. An id is not free again: Ray still knows its actor for a while,
        so each case has ids and a folder of its own."""
        provider = self.connect()
        assert isinstance(provider, RayProvider)
        ids = [row["submission_id"] for row in provider._jobs.call("GET", "/api/jobs/")]
        for name in ids:
            provider.stop(name)
        for name in ids:
            until(lambda name=name: provider.look(name).raw_state in ENDED)
            provider.delete(name)


ENDED = ("STOPPED", "SUCCEEDED", "FAILED")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Head, Injector, str]]:
    with head() as made:
        injector = Injector(made.url)
        with injector.serve() as url:
            yield made, injector, url


class TestRay(Facts, LifeCycle, OverTheWire):
    def test_pages_are_turned(self, provider: Provider, sandbox: Any, data: Path) -> None:
        """Ray's list has no pages, and none is asked: a job is found by its own id."""
        ids = {self.create(provider, data, f"ftb-page-{number}").id for number in range(3)}
        sandbox.injector.requests.clear()
        found = provider.find("ftb-page-1")
        assert found is not None and found.id == "ftb-page-1" and found.id in ids
        assert sandbox.injector.requests == [("GET", "/api/jobs/ftb-page-1")]

    @pytest.fixture
    def sandbox(
        self, served: tuple[Head, Injector, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Rehearsal]:
        made, injector, url = served
        injector.heal()
        for name, value in made.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        rehearsing = Rehearsing(made, injector, url, tmp_path)
        rehearsing.clear()
        yield rehearsing

    def _call(self, name: str, *more: Any, **named: Any) -> Any:
        if name == "upload":
            pytest.skip("data goes into a shared folder, not over the wire")
        return super()._call(name, *more, **named)

    def create(self, provider: Provider, data: Path, key: str = "") -> RemoteJob:
        return super().create(provider, data, key or f"ftb-{uuid.uuid4().hex}")

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        given = provider.context.options
        options = {"python": given["python"], "storage": given["storage"], "gpus": "0"}
        return super().spec(provider, data, **{"options": options, **changes})
