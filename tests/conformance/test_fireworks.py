"""Fireworks' adapter in the public suite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fireworks_sandbox import KEY, Account, account

from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_fireworks import Provider as FireworksProvider
from ftbridge_fireworks.emulator import JOB_TIMELINE

QUICK = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05"}
WORDS = {
    State.VALIDATING: "JOB_STATE_VALIDATING",
    State.QUEUED: "JOB_STATE_PENDING",
    State.RUNNING: "JOB_STATE_RUNNING",
}


class Rehearsing:
    """The emulator, its clock in the test's hand."""

    secrets: tuple[str, ...] = (KEY,)
    get_path = r"FineTuningJobs/[^/]+$"

    def __init__(self, served: Account, home: Path) -> None:
        self.account, self.home = served, home
        self.injector = served.injector

    def connect(self, **options: str) -> Provider:
        return FireworksProvider(Context(self.home, QUICK | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state in WORDS:
            self.account.ahead = JOB_TIMELINE.starts(WORDS[state]) + 0.5
        else:
            self.account.ahead += JOB_TIMELINE.seconds

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id.rpartition("/")[2], word)

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.store.datasets)


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with account() as made:
        yield made


class Served:
    """A fresh account for each case."""

    @pytest.fixture
    def sandbox(
        self, served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        for name, value in served.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        return Rehearsing(served, tmp_path)


class TestFireworks(Served, Facts, LifeCycle, OverTheWire):
    def test_many_are_seen_beyond_a_page(self, sandbox: Rehearsing, data: Path) -> None:
        provider = sandbox.connect()
        file = provider.upload(self.checked(provider, data))
        spec = self.spec(provider, data)
        ids = []
        for number in range(250):
            key = f"ftb-page-{number}"
            ids.append(provider.create(provider.request(spec, file.id, None, key), key).id)
        sandbox.injector.requests.clear()
        assert set(provider.get_many(ids)) == set(ids)
        assert [method for method, _ in sandbox.injector.requests] == ["GET", "GET"]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class TestPreference(Served, LifeCycle):
    """The same life, of a job with a list and a body of its own."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        rows = [
            {"prompt": [{"role": "user", "content": f"row {number}?"}],
             "chosen": [{"role": "assistant", "content": "yes"}],
             "rejected": [{"role": "assistant", "content": "no"}]}
            for number in range(12)
        ]  # fmt: skip
        return write(tmp_path / "pairs.jsonl", rows)

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        return super().spec(provider, data, **{"method": "dpo", **changes})


class TestReinforcement(Served, LifeCycle):
    """And of one with an evaluator."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        prompts = [[{"role": "user", "content": f"row {number}?"}] for number in range(12)]
        rows = [{"messages": prompt, "reference": "yes"} for prompt in prompts]
        return write(tmp_path / "prompts.jsonl", rows)

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        more = {"method": "rl", "options": {"evaluator": "sandbox"}, **changes}
        return super().spec(provider, data, **more)
