"""Custom jobs: the request by Google's own messages, permissions, and a whole job that trains."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from answering import answer, base_in
from pretended import Pretended
from tape import Tape
from vertex_sandbox import Project, project

import ftbridge
from ftbridge import clock
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.provider import Context
from ftbridge_vertex import ComputeProvider
from ftbridge_vertex.compute import wire
from ftbridge_vertex.emulator import custom_run

from .permissions import table, write, written

MARK = "compute permissions"
MODEL = "acme/tiny-1m"
OPTIONS = {"spot": "true", "machine": "g2-standard-4", "checkpoint_steps": "1", "threads": "1"}
GOLDEN = Path(__file__).with_name("golden_compute.json")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with project() as made:
        for name, value in made.env(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        yield made


def chats(path: Path) -> Path:
    turns = (("user", "where is card {}?"), ("assistant", "card {} is here"))
    rows = (
        {"messages": [{"role": role, "content": text.format(n)} for role, text in turns]}
        for n in range(24)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def spec(**options: str) -> JobSpec:
    training = {"path": "t.jsonl", "sha256": "0" * 64, "kind": "chat", "examples": 24, "bytes": 9}
    return JobSpec.model_validate(
        {"provider": "vertex_compute", "model": MODEL, "adapter": "lora", "training": training,
         "options": OPTIONS | options}
    )  # fmt: skip


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComputeProvider:
    for name in ("GOOGLE_VERTEX_BASE_URL", "GOOGLE_CLOUD_LOCATION"):
        monkeypatch.delenv(name, raising=False)
    return ComputeProvider(Context(tmp_path, {"bucket": "own-bucket", "project": "p"}))


def test_the_request_is_the_golden_one_and_googles(provider: ComputeProvider) -> None:
    """Reviewed on 2026-11-25 against aiplatform_v1's messages, which know each field and word."""
    from google.cloud.aiplatform_v1.types import CustomJob
    from google.protobuf.json_format import ParseDict

    more = {"kms_key": "projects/p/k", "service_account": "a@b", "network": "projects/1/n"}
    address = "gs://own-bucket/ftbridge/files/ftbridge-abc.jsonl"
    request = provider.request(spec(hours="3", **more), address, None, "ftb-1")
    job = request["job"]
    if os.environ.get("FTBRIDGE_TEST_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(request, indent=1, sort_keys=True) + "\n")
    assert request == json.loads(GOLDEN.read_text())
    made = ParseDict(job, CustomJob.pb()())
    assert made.job_spec.scheduling.timeout.seconds == 3 * 3600
    assert made.encryption_spec.kms_key_name == "projects/p/k"


def test_every_word_of_google_has_a_state() -> None:
    from google.cloud.aiplatform_v1.types import JobState

    words = {state.name for state in JobState} - {"JOB_STATE_UNSPECIFIED"}
    assert words <= wire.STATES.keys()


def test_each_gpu_has_googles_word(provider: ComputeProvider) -> None:
    from google.cloud.aiplatform_v1.types import AcceleratorType

    assert set(wire.GPUS.values()) <= {word.name for word in AcceleratorType}
    with pytest.raises(UsageError) as caught:
        provider.request(spec(machine="n1-standard-8"), "a", None, "ftb-1")
    assert caught.value.where == "accelerator"


def test_its_price_is_unknown_and_compute_engines_is_not_taken(
    place: Project, tmp_path: Path
) -> None:
    data = chats(tmp_path / "train.jsonl")
    plan = ftbridge.Bridge().plan(
        data, provider="vertex_compute", model="Qwen/Qwen3-0.6B", allow_unknown_cost=True
    )
    assert plan.usd.high is None and list(plan.usd.unknown) == ["training"]
    job = plan.payload["job"]
    assert job["jobSpec"]["workerPoolSpecs"][0]["machineSpec"] == {
        "machineType": "g2-standard-4", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1,
    }  # fmt: skip


def test_the_readme_lists_every_permission(
    place: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Instant(Pretended):
        """A machine that is done before it is looked at."""

        alive = False

        def join(self, seconds: float = 0) -> None:
            self.finish()

    monkeypatch.setattr(custom_run, "Machine", Instant)
    tape = Tape(place.switch.app)
    place.switch.app = tape
    bridge = ftbridge.Bridge()
    plan = bridge.plan(
        chats(tmp_path / "train.jsonl"), provider="vertex_compute", model=MODEL, adapter="lora",
        allow_unknown_cost=True, options=OPTIONS,
    )  # fmt: skip
    job = bridge.submit(plan).wait()
    assert job.state == "succeeded"
    provider = bridge.provider("vertex_compute")
    assert all(check.ok is not False for check in provider.doctor())
    assert provider.find(str(job.row.key)) is not None
    provider.delete_model(str(job.model))
    job.purge()
    provider.delete(str(job.row.remote_id))
    bridge.ledger.close()
    asked = {(one.method, one.path) for one in tape.exchanges}
    asked.add(("POST", "/v1beta1/projects/p/locations/l/customJobs/1:cancel"))
    if os.environ.get("FTBRIDGE_TEST_WRITE_GOLDEN"):
        write(table(asked), MARK)
    assert written(MARK) == table(asked)


@pytest.mark.long
@pytest.mark.training
@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft 0.21.2 in transformers 5.24
def test_a_machine_is_lost_and_the_adapter_comes_home(place: Project, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    plan = bridge.plan(
        chats(tmp_path / "train.jsonl"), provider="vertex_compute", model=MODEL, adapter="lora",
        n_epochs=20, batch_size=2, allow_unknown_cost=True, options=OPTIONS,
    )  # fmt: skip
    job = bridge.submit(plan)
    name = str(job.row.remote_id)
    provider = bridge.provider("vertex_compute")
    deadline = clock.monotonic() + 200
    while not provider.checkpoints(name):
        assert clock.monotonic() < deadline
        clock.sleep(0.2)
    remote = place.store.custom_jobs[name.rpartition("/")[2]]
    remote.run.interrupt()
    job.wait()
    assert job.state == "succeeded", remote.run.log
    types = [event.type for event in provider.events(name)]
    assert types.count("started") == 1 and "resumed" in types and types[-1] == "finished"

    adapter = job.download(tmp_path / "adapter")
    assert not any(path.suffix == ".pt" for path in adapter.rglob("*"))
    assert answer(base_in(place.store.hub.folder), adapter)
    job.purge()
    assert not [name for name in place.uploaded() if "/files/" in name]
    bridge.ledger.close()
