"""Vertex AI's adapter in the public suite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vertex_sandbox import Project, project

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.policy import Privacy
from ftbridge.policy.layers import Allow
from ftbridge.provider import Context, Provider
from ftbridge.testing.conformance import Facts, LifeCycle, OverTheWire, Rehearsal
from ftbridge_vertex import Provider as VertexProvider
from ftbridge_vertex.emulator import BUCKET, JOB_TIMELINE, TOKEN

QUICK = {"settle_seconds": "0.1", "patience_seconds": "1", "poll_seconds": "0.05",
         "bucket": BUCKET}  # fmt: skip
WORDS = {
    State.VALIDATING: "TUNING_JOB_STATE_PROCESSING_DATASET",
    State.QUEUED: "JOB_STATE_PENDING",
    State.RUNNING: "TUNING_JOB_STATE_TUNING",
}
OPEN = "meta/llama3_1@llama-3.1-8b-instruct"


class Rehearsing:
    """The emulator, its clock in the test's hand."""

    secrets: tuple[str, ...] = (TOKEN,)
    get_path = r"/tuningJobs/[^/]+$"
    create_path = r"/tuningJobs$"

    def __init__(self, served: Project, home: Path) -> None:
        self.account, self.home = served, home
        self.injector = served.injector

    def connect(self, **options: str) -> Provider:
        return VertexProvider(Context(self.home, QUICK | options))

    def advance(self, remote_id: str, state: State) -> None:
        if state in WORDS:
            self.account.ahead = JOB_TIMELINE.starts(WORDS[state]) + 0.5
        else:
            self.account.ahead += JOB_TIMELINE.seconds

    def say(self, remote_id: str, word: str) -> None:
        self.account.store.force_status(remote_id, word)

    def count(self) -> tuple[int, int]:
        return len(self.account.store.jobs), len(self.account.store.objects)


@pytest.fixture(scope="module")
def served() -> Iterator[Project]:
    with project() as made:
        yield made


class Served:
    """A fresh project for each case."""

    @pytest.fixture
    def sandbox(
        self, served: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Rehearsal:
        served.reset()
        for name, value in served.env(tmp_path).items():
            monkeypatch.setenv(name, value)
        return Rehearsing(served, tmp_path)


class TestVertex(Served, Facts, LifeCycle, OverTheWire):
    def test_the_region_is_what_a_policy_sees(self, sandbox: Rehearsing, data: Path) -> None:
        here = sandbox.connect(location="europe-west4")
        assert here.destination.region == "europe-west4"
        europe = Allow(labels=(Privacy.INTERNAL,), regions=("europe-*",))
        assert not europe.misfit("vertex", here.account, here.region)
        everywhere = sandbox.connect(location="global")
        assert europe.misfit("vertex", everywhere.account, everywhere.region)

    @pytest.mark.parametrize("location", ["eu", "global", "us"])
    def test_what_is_no_single_region_is_refused(
        self, sandbox: Rehearsing, data: Path, location: str
    ) -> None:
        place = sandbox.connect(location=location)
        with pytest.raises(UsageError) as caught:
            place.request(self.spec(place, data), "gs://b/x", None, "ftb-1")
        assert caught.value.where == "location"

    def test_the_vendors_own_address_follows_the_region(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("GOOGLE_VERTEX_BASE_URL", "STORAGE_EMULATOR_HOST"):
            monkeypatch.delenv(name, raising=False)
        own = VertexProvider(Context(tmp_path, {"location": "europe-west4"}))
        assert own.endpoint == "https://europe-west4-aiplatform.googleapis.com" and own.at_vendor
        aside = VertexProvider(Context(tmp_path, {"storage_url": "http://127.0.0.1:9"}))
        assert not aside.at_vendor


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class TestPreference(Served, LifeCycle):
    """The same life, of a job with another spec and other lines."""

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
    """And of one with a grader."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        prompts = [[{"role": "user", "content": f"row {number}?"}] for number in range(12)]
        rows = [{"messages": prompt, "reference": "yes"} for prompt in prompts]
        return write(tmp_path / "prompts.jsonl", rows)

    def spec(self, provider: Provider, data: Path, **changes: Any) -> JobSpec:
        grader = {"type": "string_check", "name": "same", "operation": "eq",
                  "input": "{{sample.output_text}}", "reference": "{{item.reference}}"}  # fmt: skip
        return super().spec(provider, data, **{"method": "rl", "grader": grader, **changes})


class TestOpenModel(Served, LifeCycle):
    """And of an open model, whose weights go to the bucket."""

    @pytest.fixture
    def provider(self, sandbox: Rehearsal) -> Provider:
        from ftbridge_vertex.open_models import OpenModels

        made = sandbox.connect()
        return OpenModels(made.context)

    def model(self, provider: Provider) -> str:
        return OPEN
