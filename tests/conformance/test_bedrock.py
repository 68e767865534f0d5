"""Bedrock's adapter in the public suite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bedrock_sandbox import ROLE, Account, account

from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_bedrock import Provider as BedrockProvider
from ftbridge_bedrock.emulator import ACCOUNT, JOB_TIMELINE, SECRET_KEY

QUICK = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05"}
WORDS = {
    State.VALIDATING: "validationDetails",
    State.QUEUED: "dataProcessingDetails",
    State.RUNNING: "trainingDetails",
}
LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:grade"


class Rehearsing:
    """The emulator, its clock in the test's hand."""

    secrets: tuple[str, ...] = (SECRET_KEY,)
    get_path = r"/model-customization-jobs/arn[^/]+"
    create_path = r"/model-customization-jobs$"

    def __init__(self, served: Account, home: Path) -> None:
        self.account, self.home = served, home
        self.injector = served.injector

    def connect(self, **options: str) -> Provider:
        place = {"bucket": self.account.bucket, "role_arn": ROLE}
        return BedrockProvider(Context(self.home, QUICK | place | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state in WORDS:
            self.account.ahead = JOB_TIMELINE.starts(WORDS[state]) + 0.5
        else:
            self.account.ahead += JOB_TIMELINE.seconds

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.uploaded())


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


class TestBedrock(Served, Facts, LifeCycle, OverTheWire):
    pass


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class TestReinforcement(Served, LifeCycle):
    """The same life, of a job with a grading function."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        prompts = [[{"role": "user", "content": f"row {number}?"}] for number in range(100)]
        rows = [{"messages": prompt, "reference": "yes"} for prompt in prompts]
        return write(tmp_path / "prompts.jsonl", rows)

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        more = {"method": "rl", "options": {"lambda_arn": LAMBDA}, **changes}
        return super().spec(provider, data, **more)


class TestPreTraining(Served, LifeCycle):
    """And of one on text alone."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        return write(tmp_path / "text.jsonl", [{"text": f"row {number}"} for number in range(12)])

    def model(self, provider: Provider) -> str:
        return "amazon.titan-text-express-v1:0:8k"
