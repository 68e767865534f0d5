"""Mistral's adapter: what it sends, and what it makes of answers, over a real socket.

The answers are scripted from the shapes of ``mistralai`` 2.4.13 (jobs) and 3.7.0 (the rest).
Golden requests: mistralai/platform-docs-public, text_vision_finetuning.md (seen 2026-11-24).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ftbridge.dataset.types import Kind
from ftbridge.errors import CredentialsError, NetworkError, UsageError, VendorError
from ftbridge.files import sha256_of
from ftbridge.jobs.spec import DataRef, Hyperparameters, JobSpec, Method
from ftbridge.jobs.states import State
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge.provider import ChatRequest, Context
from ftbridge.testing.server import serve
from ftbridge_mistral import Provider, wire
from ftbridge_mistral.request import HYPERPARAMETERS, mark

KEY = "mistral-very-secret"
JOB = {
    "id": "job-1", "object": "job", "auto_start": True, "model": "open-mistral-nemo",
    "status": "QUEUED", "job_type": "completion", "created_at": 1_800_000_000,
    "modified_at": 1_800_000_060, "training_files": ["file-1"], "hyperparameters": {"epochs": 2.0},
}  # fmt: skip
FILE = {
    "id": "file-1", "object": "file", "bytes": 10, "created_at": 1_800_000_000,
    "filename": "train.jsonl", "purpose": "fine-tune", "sample_type": "instruct",
    "source": "upload",
}  # fmt: skip


@dataclass
class Script:
    """Answers to give, and the requests that came."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)

    async def __call__(self, request: Request) -> Response:
        raw = await request.body()
        as_json = "json" in request.headers.get("content-type", "") and raw
        body = json.loads(raw) if as_json else raw.decode()
        query = f"?{request.url.query}" if request.url.query else ""
        self.seen.append((request.method, request.url.path + query, body))
        assert request.headers["authorization"] == f"Bearer {KEY}"
        status, answer = self.answers.pop(0)
        if isinstance(answer, str):
            return Response(answer, status)
        return JSONResponse(answer, status, headers={"x-request-id": "req-1"})


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    monkeypatch.setenv("MISTRAL_API_KEY", KEY)
    return Script()


@pytest.fixture
def provider(script: Script, tmp_path: Path) -> Iterator[Provider]:
    methods = ["GET", "POST", "DELETE", "PATCH"]
    with serve(Starlette(routes=[Route("/{path:path}", script.__call__, methods=methods)])) as url:
        yield Provider(Context(tmp_path, {"base_url": f"{url}/v1"}))


def spec(**changes: Any) -> JobSpec:
    data = DataRef(path="t.jsonl", sha256="0" * 64, kind=Kind.CHAT, examples=12, bytes=10)
    base = {"provider": "mistral", "model": "open-mistral-nemo", "training": data}
    return JobSpec.model_validate(base | changes)


def checked(provider: Provider, path: Path) -> CheckedUpload:
    path.write_bytes(b'{"messages": []}\n')
    return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, provider.destination)


def test_golden_create(provider: Provider, script: Script) -> None:
    script.answers = [(200, JOB)]
    asked = spec(
        hyperparameters={"n_epochs": 2, "learning_rate": 1e-4, "warmup_ratio": 0.05,
                         "weight_decay": 0.1},
        suffix="mine", options={"auto_start": "false", "training_steps": "10"},
    )  # fmt: skip
    made = provider.create(provider.request(asked, "file-1", "file-2", "ftb-1"), "ftb-1")
    assert (made.id, made.state, made.n_epochs) == ("job-1", State.QUEUED, 2)
    assert script.seen == [("POST", "/v1/fine_tuning/jobs", {
        "model": "open-mistral-nemo",
        "job_type": "completion",
        "training_files": [{"file_id": "file-1", "weight": 1}],
        "validation_files": ["file-2"],
        "hyperparameters": {"epochs": 2, "learning_rate": 1e-4, "warmup_fraction": 0.05,
                            "weight_decay": 0.1, "training_steps": 10},
        "auto_start": False,
        "suffix": f"mine-{mark('ftb-1')}",
    })]  # fmt: skip


def test_what_is_not_set_is_not_sent(provider: Provider) -> None:
    assert provider.request(spec(), "file-1", None, "ftb-1") == {
        "model": "open-mistral-nemo",
        "job_type": "completion",
        "training_files": [{"file_id": "file-1", "weight": 1}],
        "hyperparameters": {},
        "auto_start": True,
        "suffix": mark("ftb-1"),
    }


def test_the_catalogue_takes_what_the_wire_carries(provider: Provider) -> None:
    takes = provider.catalogue().hyperparameters
    assert set(takes) == {Method.SFT} and set(takes[Method.SFT]) == set(HYPERPARAMETERS)
    with pytest.raises(UsageError):
        provider.catalogue().check_hyperparameters(Method.SFT, Hyperparameters(batch_size=2))


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"options": {"colour": "red"}}, {"options": {"auto_start": "yes"}},
     {"options": {"training_steps": "many"}}],
)  # fmt: skip
def test_what_it_does_not_take(provider: Provider, changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        provider.request(spec(**changes), "file-1", None, "ftb-1")


@pytest.mark.parametrize(("raw", "state"), [*wire.STATES.items(), ("DREAMING", State.UNKNOWN)])
def test_states(raw: str, state: State) -> None:
    seen = wire.job(JOB | {"status": raw})
    assert (seen.state, seen.raw_state) == (state, raw)
    assert seen.stopping is (raw == "CANCELLATION_REQUESTED")
    assert (seen.finished_at is not None) is (raw in wire.ENDED)
    assert (seen.error is not None) is (state is State.FAILED)


def test_a_validated_job_that_waits_is_paused_and_resume_starts_it(
    provider: Provider, script: Script
) -> None:
    waiting = JOB | {"status": "VALIDATED", "auto_start": False}
    script.answers = [(200, waiting), (200, JOB | {"status": "RUNNING"})]
    assert provider.get("job-1").state is State.PAUSED
    assert provider.resume("job-1").state is State.RUNNING
    assert [each[:2] for each in script.seen] == [
        ("GET", "/v1/fine_tuning/jobs/job-1"), ("POST", "/v1/fine_tuning/jobs/job-1/start"),
    ]  # fmt: skip


def test_events_metrics_and_checkpoints_lie_in_the_job(provider: Provider, script: Script) -> None:
    detail = JOB | {
        "status": "FAILED",
        "events": [
            {"name": "status-updated", "created_at": 1_800_000_050,
             "data": {"status": "FAILED", "error": "bad luck"}},
            {"name": "status-updated", "created_at": 1_800_000_000, "data": {"status": "QUEUED"}},
        ],
        "checkpoints": [
            {"step_number": 20, "created_at": 1_800_000_040, "metrics": {"train_loss": 0.5}},
            {"step_number": 10, "created_at": 1_800_000_020,
             "metrics": {"train_loss": 1.5, "valid_loss": None}},
        ],
    }  # fmt: skip
    script.answers = [(200, detail)] * 3
    events, metrics = provider.history("job-1")
    assert [event.message for event in events] == [
        "status-updated: QUEUED", "status-updated: FAILED: bad luck",
    ]  # fmt: skip
    assert [(metric.step, metric.value) for metric in metrics] == [(10, 1.5), (20, 0.5)]
    assert [point.step for point in provider.checkpoints("job-1")] == [10, 20]
    assert provider.get("job-1").error == {"code": "FAILED", "message": "bad luck"}


def test_many_jobs_come_by_pages(provider: Provider, script: Script) -> None:
    rows = [JOB | {"id": f"job-{n}"} for n in range(105)]
    script.answers = [(200, {"data": rows[:100], "total": 105}), (200, {"data": rows[100:]})]
    wanted = ["job-1", "job-2", "job-99", "job-104"]
    assert provider.get_many(wanted).keys() == set(wanted)
    assert [each[1] for each in script.seen] == [
        f"/v1/fine_tuning/jobs?page={page}&page_size=100" for page in (0, 1)
    ]


def test_files_through_the_sdk(provider: Provider, script: Script, tmp_path: Path) -> None:
    upload = checked(provider, tmp_path / "train.jsonl")
    named = FILE | {"filename": upload.name, "bytes": upload.bytes}
    script.answers = [
        (200, FILE), (200, {"data": [named], "object": "list", "total": 1}),
        (200, FILE | {"deleted": False}), (404, {"message": "gone"}), (404, {"message": "gone"}),
    ]  # fmt: skip
    assert provider.upload(upload).id == "file-1"
    assert '{"messages": []}' in script.seen[0][2] and "fine-tune" in script.seen[0][2]
    found = provider.find_upload(upload)
    assert found and found.id == "file-1"
    assert provider.file_state("file-1").ready and provider.file_state("file-1").missing
    provider.purge("file-1")
    assert [each[0] for each in script.seen] == ["POST", "GET", "GET", "GET", "DELETE"]


def test_chat_and_archive_through_the_sdk(provider: Provider, script: Script) -> None:
    message = {"role": "assistant", "content": "yes"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    reply = {"id": "c", "object": "chat.completion", "model": "ft:x", "created": 1,
             "choices": [choice], "usage": usage}  # fmt: skip
    model = {"id": "ft:x", "object": "model", "archived": True}
    script.answers = [(200, reply), (200, model), (200, model | {"archived": False})]
    asked = ChatRequest([{"role": "user", "content": "is it?"}], seed=7)
    made = provider.chat("ft:x", asked)
    assert (made.text, made.prompt_tokens, made.completion_tokens) == ("yes", 3, 1)
    assert script.seen[0][2]["random_seed"] == 7
    provider.undeploy("ft:x")
    assert provider.deploy("ft:x") == "ft:x"
    assert [each[:2] for each in script.seen[1:]] == [
        ("POST", "/v1/fine_tuning/models/ft:x/archive"),
        ("DELETE", "/v1/fine_tuning/models/ft:x/archive"),
    ]


@pytest.mark.parametrize(
    ("status", "transient"),
    [(400, False), (402, False), (403, False), (404, False), (409, True), (422, False),
     (429, True), (500, True), (503, True)],
)  # fmt: skip
def test_errors(provider: Provider, script: Script, status: int, transient: bool) -> None:
    detail = {"detail": [{"loc": ["body", "model"], "msg": f"bad {KEY}", "type": "value_error"}]}
    script.answers = [(status, detail)] * 2
    for call in (lambda: provider.get("job-1"), lambda: provider.deploy("ft:x")):
        with pytest.raises(VendorError) as caught:
            call()
        error = caught.value
        assert (error.status, error.transient, error.request_id) == (status, transient, "req-1")
        assert "body.model" in error.message and KEY not in error.message


def test_no_answer_is_repeated(provider: Provider, script: Script, tmp_path: Path) -> None:
    script.answers = [(401, {"message": "Unauthorized"}), (200, "no json"), (500, {})]
    with pytest.raises(CredentialsError):
        provider.get("job-1")
    with pytest.raises(NetworkError):
        provider.create({"model": "x"}, "ftb-1")
    with pytest.raises(VendorError):
        provider.upload(checked(provider, tmp_path / "t.jsonl"))
    assert len(script.seen) == 3
    away = Provider(Context(tmp_path, {"base_url": "http://127.0.0.1:9/v1"}))
    for call in (lambda: away.get("job-1"), lambda: away.purge("file-1")):
        with pytest.raises(NetworkError):
            call()
    assert away.endpoint == "http://127.0.0.1:9/v1" and not away.at_vendor
    assert KEY not in away.account


def test_doctor(provider: Provider, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answers = [(200, {"data": []}), (410, {"message": "gone"})]
    assert [check.ok for check in provider.doctor()] == [True, True, True]
    assert [check.ok for check in provider.doctor()] == [True, True, False]
    monkeypatch.delenv("MISTRAL_API_KEY")
    assert [check.ok for check in provider.doctor()] == [True, False]
    with pytest.raises(CredentialsError):
        provider.require_ready()
