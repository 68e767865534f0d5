"""SageMaker's two adapters in the public suite; machines pretend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sagemaker_place import Account, account, until

from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_sagemaker import ComputeProvider
from ftbridge_sagemaker import Provider as ManagedProvider
from ftbridge_sagemaker.emulator import JOB_TIMELINE, SECRET_KEY

EVALUATOR = "arn:aws:sagemaker:us-east-1:123456789012:hub-content/own/JsonDoc/grade/1.0.0"


class Rehearsing:
    """The emulator in the test's hand."""

    kind: ClassVar[type[Provider]]
    secrets: tuple[str, ...] = (SECRET_KEY,)
    get_path = r"DescribeTrainingJob$"
    create_path = r"CreateTrainingJob$"

    def __init__(self, served: Account, home: Path) -> None:
        self.account, self.home, self.injector = served, home, served.injector

    def connect(self, **options: str) -> Provider:
        return self.kind(Context(self.home, self.account.options() | options))

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.uploaded())


class Managed(Rehearsing):
    """Jobs follow the clock."""

    kind = ManagedProvider

    def advance(self, remote_id: str, state: State) -> None:
        if state in (State.VALIDATING, State.QUEUED):
            return
        if state is State.RUNNING:
            self.account.ahead = JOB_TIMELINE.starts("Training") + 0.5
        else:
            self.account.ahead += JOB_TIMELINE.seconds


class Rented(Rehearsing):
    """Jobs follow their machines."""

    kind = ComputeProvider

    def advance(self, remote_id: str, state: State) -> None:
        if state in (State.VALIDATING, State.QUEUED):
            return
        job = self.account.store.jobs[remote_id]
        if state is State.RUNNING:
            until(lambda: job.secondary == "Training")
            return
        if state is State.SUCCEEDED and (machine := self.account.machine(remote_id)).alive:
            machine.finish()
        self.account.end(remote_id)


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with account() as made:
        yield made


class Served:
    """A fresh account for each case."""

    hand: ClassVar[type[Rehearsing]] = Managed

    @pytest.fixture
    def sandbox(
        self, served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        served.point(monkeypatch, tmp_path)
        return self.hand(served, tmp_path)  # type: ignore[return-value]


class TestManaged(Served, Facts, LifeCycle, OverTheWire):
    test_pages_are_turned = pytest.mark.long(OverTheWire.test_pages_are_turned)


class TestCompute(Served, Facts, LifeCycle, OverTheWire):
    hand = Rented
    test_pages_are_turned = pytest.mark.long(OverTheWire.test_pages_are_turned)

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        options = {"machine": "ml.g5.xlarge"}
        return super().spec(provider, data, **{"options": options, **changes})


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.long
class TestPreference(Served, LifeCycle):
    """The same life, of pairs."""

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


@pytest.mark.long
class TestReinforcement(Served, LifeCycle):
    """And of prompts with a reward function."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        prompts = [[{"role": "user", "content": f"row {number}?"}] for number in range(12)]
        rows = [{"messages": prompt, "reference": "yes"} for prompt in prompts]
        return write(tmp_path / "prompts.jsonl", rows)

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        more = {"method": "rl", "options": {"evaluator_arn": EVALUATOR}, **changes}
        return super().spec(provider, data, **more)
