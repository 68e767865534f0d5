"""Mistral's emulator over a real socket: files, models and chat through the SDK (``mistralai``
3.7.0), the five job routes, which it lost after 2.4.13, through httpx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from ftbridge.testing.server import serve
from ftbridge_mistral.emulator import Store, create_app

START = 1_800_000_000.0
JOBS = "/v1/fine_tuning/jobs"
ORDER = ("QUEUED", "STARTED", "VALIDATING", "VALIDATED", "RUNNING", "SUCCESS")


def row(number: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": f"translate the word number{number}"},
            {"role": "assistant", "content": f"word {number}"},
        ]
    }


@dataclass
class World:
    """One emulated account, its SDK client, its clock."""

    url: str = ""
    http: httpx.Client = field(init=False)
    sdk: Mistral = field(init=False)
    app: Starlette | None = None
    now: float = START

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def reset(self) -> None:
        self.now = START
        self.app = create_app(clock=lambda: self.now)

    @property
    def store(self) -> Store:
        assert self.app is not None
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    def upload(self, rows: list[Any] | None = None) -> str:
        lines = [row(n) for n in range(10)] if rows is None else rows
        content = "\n".join(map(json.dumps, lines)).encode()
        file: Any = {"file_name": "train.jsonl", "content": content}
        return self.sdk.files.upload(file=file, purpose="fine-tune").id

    def body(self, **changes: Any) -> dict[str, Any]:
        asked = {"model": "open-mistral-7b", "hyperparameters": {"epochs": 3}, "auto_start": True}
        if "training_files" not in changes:
            changes["training_files"] = [{"file_id": self.upload(), "weight": 1}]
        return {**asked, **changes}

    def post(self, body: Any) -> httpx.Response:
        return self.http.post(JOBS, json=body)

    def job(self, **changes: Any) -> dict[str, Any]:
        answer = self.post(self.body(**changes))
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def get(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{JOBS}/{job_id}").json()
        return found

    def at(self, seconds: float) -> None:
        self.now = START + seconds


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    headers = {"Authorization": "Bearer mistral-sandbox"}
    made = World()
    made.reset()
    with (
        serve(made) as url,
        httpx.Client(base_url=url, headers=headers) as http,
        Mistral(api_key="mistral-sandbox", server_url=url) as sdk,
    ):
        made.url, made.http, made.sdk = url, http, sdk
        yield made


@pytest.fixture
def world(served: World) -> World:
    served.reset()
    return served


def test_files_through_the_sdk(world: World) -> None:
    file_id = world.upload()
    found = world.sdk.files.retrieve(file_id=file_id)
    assert (found.id, found.filename, found.num_lines, found.deleted) == (
        file_id, "train.jsonl", 10, False,
    )  # fmt: skip
    listed = world.sdk.files.list(purpose="fine-tune", page_size=1)
    assert [each.id for each in listed.data] == [file_id] and listed.total == 1
    assert world.sdk.files.download(file_id=file_id).read().startswith(b'{"messages"')
    assert world.sdk.files.delete(file_id=file_id).deleted
    with pytest.raises(SDKError) as caught:
        world.sdk.files.retrieve(file_id=file_id)
    assert caught.value.status_code == 404


def test_only_json_lines_train(world: World) -> None:
    file: Any = {"file_name": "train.csv", "content": b"a"}
    with pytest.raises(SDKError) as caught:
        world.sdk.files.upload(file=file, purpose="fine-tune")
    assert caught.value.status_code == 422


def test_a_whole_job(world: World) -> None:
    job = world.job(suffix="mine")
    seen = []
    for second in range(17):
        world.at(second)
        seen.append(world.get(job["id"])["status"])
    assert tuple(dict.fromkeys(seen)) == ORDER
    done = world.get(job["id"])
    assert done["fine_tuned_model"].startswith("ft:open-mistral-7b:") and done["trained_tokens"]
    assert [e["data"]["status"] for e in done["events"]] == list(ORDER[::-1])
    steps = [point["step_number"] for point in done["checkpoints"]]
    assert steps == sorted(steps, reverse=True) and len(steps) == len(set(steps))
    assert "events" not in world.http.get(JOBS).json()["data"][0]


def test_without_auto_start_it_waits(world: World) -> None:
    job = world.job(auto_start=False)
    early = world.http.post(f"{JOBS}/{job['id']}/start")
    assert early.status_code == 409
    world.at(500)
    assert world.get(job["id"])["status"] == "VALIDATED"
    assert world.http.post(f"{JOBS}/{job['id']}/start").json()["status"] == "RUNNING"
    world.at(511)
    done = world.get(job["id"])
    assert done["status"] == "SUCCESS" and done["events"][0]["created_at"] == START + 510
    assert world.http.post(f"{JOBS}/{job['id']}/start").status_code == 409


@pytest.mark.parametrize("second", [0, 2.5, 4.5, 9])
def test_cancel_is_asked_for_then_done(world: World, second: float) -> None:
    job = world.job()
    world.at(second)
    answer = world.http.post(f"{JOBS}/{job['id']}/cancel")
    assert answer.json()["status"] == "CANCELLATION_REQUESTED"
    world.at(second + 2)
    assert world.get(job["id"])["events"][0]["data"]["status"] == "CANCELLED"
    assert world.http.post(f"{JOBS}/{job['id']}/cancel").status_code == 409


@pytest.mark.parametrize(
    "rows",
    [[], [{"text": "x"}], [{"messages": [{"role": "user", "content": "x"}]}],
     [{"messages": [{"role": "robot", "content": "x"}]}]],
)  # fmt: skip
def test_bad_data_fails_late(world: World, rows: list[Any]) -> None:
    job = world.job(training_files=[{"file_id": world.upload(rows)}])
    assert job["status"] == "QUEUED"
    world.at(6)
    failed = world.get(job["id"])
    assert failed["status"] == "FAILED_VALIDATION" and failed["fine_tuned_model"] is None
    assert failed["events"][0]["data"]["error"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"n_epochs": 1}, ["body", "n_epochs"]),
        ({"hyperparameters": {"batch_size": 1}}, ["body", "hyperparameters", "batch_size"]),
        ({"hyperparameters": {"epochs": "1"}}, ["body", "hyperparameters", "epochs"]),
        ({"hyperparameters": {"epochs": 0}}, ["body", "hyperparameters", "epochs"]),
        ({"model": "gpt-4"}, ["body", "model"]),
        ({"training_files": []}, ["body", "training_files"]),
        ({"training_files": ["x"]}, ["body", "training_files", "0"]),
        ({"training_files": [{"file_id": "x"}]}, ["body", "training_files"]),
        ({"auto_start": "yes"}, ["body", "auto_start"]),
        ({"job_type": "dpo"}, ["body", "job_type"]),
        ({"suffix": "x" * 19}, ["body", "suffix"]),
        ({"hyperparameters": {"seq_len": 99}}, ["body", "hyperparameters", "seq_len"]),
        ({"invalid_sample_skip_percentage": 1}, ["body", "invalid_sample_skip_percentage"]),
    ],
)
def test_strict_about_the_body(world: World, changes: dict[str, Any], where: list[str]) -> None:
    answer = world.post(world.body(**changes))
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == where and problem["msg"] and problem["type"]
    assert not world.store.jobs


def test_pages_over_250_jobs(world: World) -> None:
    body = world.body()
    ids = []
    for _ in range(250):
        ids.append(world.post(body).json()["id"])
    found: list[str] = []
    for page in range(4):
        answer = world.http.get(JOBS, params={"page": page, "page_size": 100}).json()
        assert answer["total"] == 250
        found += [each["id"] for each in answer["data"]]
    assert found == ids[::-1]
    assert world.http.get(JOBS, params={"after": "x"}).status_code == 422
    assert world.http.get(JOBS, params={"page_size": 0}).status_code == 422


def test_lists_lag_and_states_are_forced(world: World) -> None:
    world.store.list_lag = 5
    job = world.job()
    assert world.http.get(JOBS).json()["total"] == 0
    world.store.force_status(job["id"], "NAPPING")
    assert world.get(job["id"])["status"] == "NAPPING"


def test_the_tuned_model(world: World) -> None:
    job = world.job()
    world.at(20)
    name = world.get(job["id"])["fine_tuned_model"]
    messages: Any = [{"role": "user", "content": "translate the word number7"}]
    told = world.sdk.chat.complete(model=name, messages=messages, temperature=0)
    assert told.choices[0].message is not None and told.choices[0].message.content == "word 7"
    assert world.sdk.models.update(model_id=name, name="mine").name == "mine"  # type: ignore[union-attr]
    assert world.sdk.models.retrieve(model_id=name).job == job["id"]  # type: ignore[union-attr]
    assert world.sdk.models.archive(model_id=name).archived
    assert world.sdk.models.unarchive(model_id=name).archived is False
    assert world.sdk.models.delete(model_id=name).deleted
    with pytest.raises(SDKError) as caught:
        world.sdk.chat.complete(model=name, messages=messages)
    assert caught.value.status_code == 404


def test_secrets_do_not_come_back(world: World) -> None:
    wandb = {"type": "wandb", "project": "p", "api_key": "wb-secret"}
    github = {"type": "github", "name": "n", "owner": "o", "token": "gh-secret"}
    job = world.job(integrations=[wandb], repositories=[github])
    assert "secret" not in json.dumps(world.get(job["id"]))


def test_a_wrong_key(world: World) -> None:
    answer = httpx.get(world.url + JOBS, headers={"Authorization": "Bearer nobody"})
    assert answer.status_code == 401 and answer.headers["mistral-correlation-id"]
