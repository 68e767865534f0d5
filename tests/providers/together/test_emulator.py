"""The real SDK (``together`` 3.1.1) against the emulator over a real socket."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import together
from starlette.applications import Starlette
from together import Together

from ftbridge.testing.server import serve
from ftbridge_together.emulator import Store, create_app

START = 1_800_000_000.0
MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"


def chats(path: Path, count: int = 16) -> Path:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"please translate the word number{n}"},
                {"role": "assistant", "content": f"word {n}"},
            ]
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def preferences(path: Path) -> Path:
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": f"question number{n}"}]},
            "preferred_output": [{"role": "assistant", "content": f"good {n}"}],
            "non_preferred_output": [{"role": "assistant", "content": f"bad {n}"}],
        }
        for n in range(10)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@dataclass
class World:
    """One emulated account, its SDK client, and its clock."""

    app: Starlette
    url: str
    client: Together
    now: float = START

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    def upload(self, path: Path) -> str:
        return self.client.files.upload(path, purpose="fine-tune", check=False).id

    def create(self, file_id: str, **more: Any) -> Any:
        return self.client.fine_tuning.create(training_file=file_id, model=MODEL, **more)

    def status(self, job_id: str) -> str:
        return self.client.fine_tuning.retrieve(job_id).status


@pytest.fixture
def world() -> Iterator[World]:
    worlds: list[World] = []
    app = create_app(clock=lambda: worlds[0].now if worlds else START)
    with (
        serve(app) as url,
        Together(base_url=url, api_key="together-sandbox", max_retries=0) as client,
    ):
        worlds.append(World(app, url, client))
        yield worlds[0]


@pytest.fixture
def file_id(world: World, tmp_path: Path) -> str:
    made = world.upload(chats(tmp_path / "train.jsonl"))
    world.now += 5
    return made


def test_file_is_validated_after_the_upload(world: World, tmp_path: Path) -> None:
    made = world.upload(chats(tmp_path / "train.jsonl"))
    states = []
    for seconds in (0.0, 1.5, 2.0):
        world.now += seconds
        states.append(world.client.files.retrieve(made).processing_status)
    assert states == ["QUEUED", "RUNNING", "COMPLETED"]
    report = world.client.files.retrieve(made).validation_report
    assert report and report.valid and report.dataset_format == "CONVERSATION"
    assert report.nlines == 16
    assert [each.id for each in world.client.files.list().data] == [made]


def test_the_same_content_is_one_file(world: World, tmp_path: Path) -> None:
    path = chats(tmp_path / "train.jsonl")
    assert world.upload(path) == world.upload(path)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"messages": [], "text": "both"}',
        '{"messages": [{"role": "user", "content": "a"}]}',
        '{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}',
        '{"messages": [{"role": "developer", "content": "a"}]}',
    ],
)
def test_bad_file_is_invalid_and_the_job_errs(world: World, tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n")
    made = world.upload(path)
    job = world.create(made)
    world.now += 6
    assert world.client.files.retrieve(made).processing_status == "INVALID_FORMAT"
    assert world.status(job.id) == "error"
    assert world.client.fine_tuning.list_events(job.id).data[-1].type == "job_error"
    with pytest.raises(together.BadRequestError):
        world.create(made)


def test_create_makes_three_requests(world: World, file_id: str) -> None:
    del world.store.requests[:]
    world.create(file_id, suffix="mine", n_epochs=2, lora=True, learning_rate=1e-4)
    assert [(r.method, r.path) for r in world.store.requests] == [
        ("GET", "/v1/fine-tunes/models/limits"),
        ("POST", "/v1/fine-tunes/estimate-price"),
        ("POST", "/v1/fine-tunes"),
    ]
    assert all(record.status == 200 for record in world.store.requests)


def test_states_events_metrics_and_checkpoints(world: World, file_id: str) -> None:
    job = world.create(file_id, n_epochs=2, n_checkpoints=2)
    seen: list[str] = []
    for _ in range(22):
        state = world.status(job.id)
        if not seen or seen[-1] != state:
            seen.append(state)
        world.now += 1
    assert seen == ["pending", "queued", "running", "compressing", "uploading", "completed"]
    events = world.client.fine_tuning.list_events(job.id).data
    assert events[0].type == "job_pending" and events[-1].type == "job_complete"
    metrics = world.client.fine_tuning.list_metrics(job.id).metrics
    assert metrics and [row["global_step"] for row in metrics] == [1.0, 2.0, 3.0, 4.0]
    assert [each.step for each in world.client.fine_tuning.list_checkpoints(job.id).data] == [2, 4]
    done = world.client.fine_tuning.retrieve(job.id)
    assert done.x_model_output_name and done.adapter_object_name


def test_cancel_has_two_steps(world: World, file_id: str) -> None:
    job = world.create(file_id)
    world.now += 8
    assert world.client.fine_tuning.cancel(job.id).status == "cancel_requested"
    world.now += 3
    assert world.status(job.id) == "cancelled"
    with pytest.raises(together.BadRequestError):
        world.client.fine_tuning.cancel(job.id)
    world.client.fine_tuning.delete(job.id)
    with pytest.raises(together.NotFoundError):
        world.client.fine_tuning.retrieve(job.id)


def test_price_is_known_once_the_file_is_validated(world: World, tmp_path: Path) -> None:
    made = world.upload(chats(tmp_path / "train.jsonl"))
    estimate = world.client.fine_tuning.estimate_price
    early = estimate(training_file=made, model=MODEL)
    assert early.estimation_available is False
    assert early.unavailable_reason == "train_file_not_validated"
    world.now += 5
    once, twice = (estimate(training_file=made, model=MODEL, n_epochs=n) for n in (1, 2))
    assert once.estimation_available is True and twice.estimation_available is True
    assert once.estimated_total_price and twice.estimated_total_price
    assert twice.estimated_total_price == pytest.approx(2 * once.estimated_total_price)


def test_a_job_beyond_the_credit_is_refused(world: World, file_id: str) -> None:
    world.store.user_limit = 0.0
    with pytest.raises(together.APIStatusError) as refused:
        world.create(file_id)
    assert refused.value.status_code == 402 and not world.store.jobs


def test_dpo_needs_preferences(world: World, file_id: str, tmp_path: Path) -> None:
    pairs = world.upload(preferences(tmp_path / "pairs.jsonl"))
    good = world.create(pairs, training_method="dpo", dpo_beta=0.2)
    bad = world.create(file_id, training_method="dpo")
    world.now += 30
    assert (world.status(good.id), world.status(bad.id)) == ("completed", "error")


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"n_epochs": 21},
        {"n_epochs": "2"},
        {"learning_rate": 0.5},
        {"suffix": "x" * 41},
        {"batch_size": 4},
        {"warmup_ratio": 1.5},
        {"model": "acme/none"},
        {"training_type": {"type": "Lora", "lora_r": 65, "lora_alpha": 1}},
        {"training_type": {"type": "Lora"}},
        {"training_method": {"method": "ppo"}},
    ],
)
def test_wrong_bodies_are_refused(world: World, file_id: str, change: dict[str, Any]) -> None:
    body = {"training_file": file_id, "model": MODEL} | change
    headers = {"Authorization": "Bearer together-sandbox"}
    answer = httpx.post(f"{world.url}/v1/fine-tunes", json=body, headers=headers)
    assert answer.status_code == 400 and answer.json()["error"]["message"]
    assert answer.headers["x-request-id"] and not world.store.jobs


def test_wrong_key(world: World) -> None:
    with (
        Together(base_url=world.url, api_key="other", max_retries=0) as other,
        pytest.raises(together.AuthenticationError),
    ):
        other.fine_tuning.list()


def test_list_has_no_pages_and_lags(world: World, file_id: str) -> None:
    made = [world.create(file_id).id for _ in range(3)]
    assert [job.id for job in world.client.fine_tuning.list().data] == made[::-1]
    world.store.lag_lists_until(made[0], world.now + 9)
    assert [job.id for job in world.client.fine_tuning.list().data] == made[:0:-1]


def test_forced_status(world: World, file_id: str) -> None:
    job = world.create(file_id)
    world.store.force_status(job.id, "dreaming")
    assert world.status(job.id) == "dreaming"


def test_chat_and_weights_of_a_finished_job(world: World, file_id: str) -> None:
    job = world.create(file_id)
    name = world.client.fine_tuning.retrieve(job.id).x_model_output_name
    assert name
    with pytest.raises(together.BadRequestError):
        world.client.fine_tuning.content(ft_id=job.id, checkpoint="adapter")
    world.now += 30
    asked: Any = [{"role": "user", "content": "please translate the word number7"}]
    reply = world.client.chat.completions.create(model=name, messages=asked)
    assert reply.choices[0].message and reply.choices[0].message.content == "word 7"
    sent = world.client.fine_tuning.content(ft_id=job.id, checkpoint="adapter").read()
    with tarfile.open(fileobj=io.BytesIO(sent)) as archive:
        assert archive.getnames() == ["adapter_config.json", "adapter_model.safetensors"]
    again = world.client.fine_tuning.create(training_file=file_id, from_checkpoint=job.id)
    assert again.status == "pending"
