"""A job's course: states, fields, events, checkpoints, pause and cancel, bad data."""

from __future__ import annotations

import base64
import json
import math
import time
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types import FileObject
from openai.types.chat import ChatCompletion
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

from ftbridge.testing.server import serve
from ftbridge_openai.emulator import create_app

BASE = "gpt-4o-mini-2024-07-18"
RFT = {
    "type": "reinforcement",
    "reinforcement": {
        "grader": {
            "type": "string_check",
            "name": "exact",
            "input": "{{sample.output_text}}",
            "reference": "{{item.reference}}",
            "operation": "eq",
        }
    },
}
CASES = {
    "supervised": (BASE, {"type": "supervised", "supervised": {"hyperparameters": {}}}),
    "dpo": (BASE, {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}),
    "reinforcement": ("o4-mini-2025-04-16", RFT),
}
LEARNED = {
    "supervised": ("please translate number7", "word 7"),
    "dpo": ("question 7", "good 7"),
    "reinforcement": ("what is 7 plus 1", "8"),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_job_goes_through_its_states_and_its_model_answers(world: Any, kind: str) -> None:
    model, method = CASES[kind]
    job = world.job(model=model, method=method, training_file=world.rows(kind), suffix="demo")
    seen = [job.status]
    for seconds in (2.9, 0.2, 3.8, 0.2, 12.8):
        world.now += seconds
        state = world.get(job.id)
        seen.append(state.status)
        assert (state.trained_tokens, state.fine_tuned_model, state.result_files) == (
            None,
            None,
            [],
        )
        assert (state.estimated_finish is not None) == (state.status == "running")
        assert state.finished_at is None
    validating = ["validating_files", "validating_files"]
    assert seen == [*validating, "queued", "queued", "running", "running"]
    world.now += 0.2
    done = world.get(job.id)
    assert done.status == "succeeded"
    assert done.finished_at == job.created_at + 20
    assert done.trained_tokens and done.trained_tokens > 0
    name = done.fine_tuned_model or ""
    assert name.startswith(f"ft:{model}:sandbox:demo:") and len(name.rpartition(":")[2]) == 8
    question, answer = LEARNED[kind]
    told = world.client.chat.completions.create(
        model=name, messages=[{"role": "user", "content": question}]
    )
    assert told.choices[0].message.content == answer


def test_hyperparameters_are_auto_until_the_run_starts(world: Any) -> None:
    job = world.job(hyperparameters={"n_epochs": 2})
    assert job.method.type == "supervised"
    assert job.hyperparameters.n_epochs == 2
    assert job.hyperparameters.batch_size == "auto"
    world.now += 8
    assert world.get(job.id).hyperparameters.batch_size == 1


def test_a_healthy_job_has_an_error_of_nulls_as_the_vendor_does(world: Any) -> None:
    job = world.job()
    assert job.error is not None and job.error.code is None


def test_the_model_is_named_by_its_date_and_the_suffix_may_be_absent(world: Any) -> None:
    job = world.finished(model="gpt-4o-mini")
    assert job.model == BASE
    assert f"ft:{BASE}:sandbox::" in job.fine_tuned_model


def test_a_tuned_model_can_be_tuned_again(world: Any) -> None:
    first = world.finished()
    second = world.finished(model=first.fine_tuned_model)
    assert second.model == first.fine_tuned_model
    assert second.fine_tuned_model.startswith(f"ft:{BASE}:sandbox::")


def test_the_same_post_twice_makes_two_jobs(world: Any) -> None:
    file = world.rows()
    jobs = {world.job(training_file=file, metadata={"k": "v"}).id for _ in range(2)}
    assert len(jobs) == 2
    assert world.store.jobs.keys() == jobs
    posts = [r for r in world.store.requests if r.path.endswith("/jobs") and r.method == "POST"]
    assert [(post.body["metadata"], post.status) for post in posts] == [({"k": "v"}, 200)] * 2


def test_events_come_newest_first_and_page_by_cursor(world: Any) -> None:
    job = world.finished(validation_file=world.rows(count=11))
    events = list(world.client.fine_tuning.jobs.list_events(job.id, limit=7))
    assert len({event.id for event in events}) == len(events) == 4 + 36 + 4
    assert [event.created_at for event in events] == sorted(
        (event.created_at for event in events), reverse=True
    )
    messages = [event.message for event in events]
    assert messages[0] == "The job has successfully completed"
    assert messages[-1] == f"Created fine-tuning job: {job.id}"
    assert job.validation_file in messages[-2]
    metrics = [event.data for event in events if event.type == "metrics"]
    assert [row["step"] for row in metrics] == list(range(36, 0, -1))
    assert metrics[0]["train_loss"] < metrics[-1]["train_loss"]
    assert {"valid_loss", "train_mean_token_accuracy", "full_valid_loss"} <= metrics[0].keys()
    assert "valid_loss" not in metrics[-1]


def test_events_keep_their_ids_while_the_job_goes_on(world: Any) -> None:
    job = world.job()
    world.now += 10
    early = {e.id: e.message for e in world.client.fine_tuning.jobs.list_events(job.id)}
    world.now += 20
    late = {e.id: e.message for e in world.client.fine_tuning.jobs.list_events(job.id)}
    assert early.items() < late.items()


def test_checkpoints_are_the_last_three_epochs_and_can_be_asked(world: Any) -> None:
    job = world.job(hyperparameters={"n_epochs": 4})
    assert list(world.client.fine_tuning.jobs.checkpoints.list(job.id)) == []
    world.now += 21
    job = world.get(job.id)
    found = list(world.client.fine_tuning.jobs.checkpoints.list(job.id, limit=2))
    assert [each.step_number for each in found] == [48, 36, 24]
    names = [each.fine_tuned_model_checkpoint for each in found]
    assert names[0] == job.fine_tuned_model
    assert names[1].endswith(":ckpt-step-36")
    assert found[0].metrics.train_loss and found[0].metrics.valid_loss is None
    for name in names:
        assert world.client.models.retrieve(name).id == name


def test_the_results_file_is_a_table_in_base64(world: Any) -> None:
    job = world.finished()
    info = world.client.files.retrieve(job.result_files[0])
    assert info.purpose == "fine-tune-results"
    table = base64.b64decode(world.client.files.content(info.id).read()).decode()
    assert table.startswith("step,train_loss,train_accuracy,valid_loss")
    assert len(table.splitlines()) == 37


def test_cancel_is_final_and_refused_after_the_end(world: Any) -> None:
    jobs = world.client.fine_tuning.jobs
    job = world.job()
    world.now += 10
    stopped = jobs.cancel(job.id)
    assert (stopped.status, stopped.finished_at) == ("cancelled", job.created_at + 10)
    world.now += 100
    assert world.get(job.id).status == "cancelled"
    assert next(iter(jobs.list_events(job.id))).message == "Fine-tuning job cancelled"
    for act in (jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError) as refusal:
            act(job.id)
        assert refusal.value.code == "invalid_job_status"


def test_pause_stops_the_jobs_time_and_resume_queues_it_again(world: Any) -> None:
    jobs = world.client.fine_tuning.jobs
    job = world.job()
    for act in (jobs.pause, jobs.resume):  # neither fits a job that has not begun
        with pytest.raises(openai.BadRequestError):
            act(job.id)
    world.now += 10
    assert jobs.pause(job.id).status == "paused"
    world.now += 1000
    assert world.get(job.id).status == "paused"
    with pytest.raises(openai.BadRequestError):
        jobs.pause(job.id)
    assert jobs.resume(job.id).status == "queued"
    world.now += 4.1
    assert world.get(job.id).status == "running"
    world.now += 10
    done = world.get(job.id)
    assert (done.status, done.finished_at) == ("succeeded", job.created_at + 1024)
    texts = [event.message for event in jobs.list_events(job.id)]
    assert texts.index("Fine-tuning job resumed") < texts.index("Fine-tuning job paused")


def test_a_paused_job_can_be_cancelled(world: Any) -> None:
    job = world.job()
    world.now += 10
    world.client.fine_tuning.jobs.pause(job.id)
    world.now += 5
    stopped = world.client.fine_tuning.jobs.cancel(job.id)
    assert (stopped.status, stopped.finished_at) == ("cancelled", job.created_at + 15)


def test_a_resumed_job_cancelled_in_the_queue_keeps_its_events(world: Any) -> None:
    jobs = world.client.fine_tuning.jobs
    job = world.job()
    world.now += 10
    jobs.pause(job.id)
    world.now += 5
    jobs.resume(job.id)
    world.now += 1
    jobs.cancel(job.id)
    told = [event.message for event in jobs.list_events(job.id)]
    world.now += 100
    assert [event.message for event in jobs.list_events(job.id)] == told
    assert len(told) > 10
    world.store.force_status(job.id, "running")
    assert world.get(job.id).estimated_finish is None


@pytest.mark.parametrize("raw", ["paused", "weird_new_state"])
def test_a_test_can_force_any_state(world: Any, raw: str) -> None:
    job = world.job()
    world.store.force_status(job.id, raw)
    assert world.get(job.id).status == raw
    world.store.force_status(job.id, None)
    assert world.get(job.id).status == "validating_files"


def test_every_field_that_the_sdk_requires_is_sent(world: Any) -> None:
    client = world.client
    job = world.finished()
    pages = client.fine_tuning.jobs
    chat = client.chat.completions.create(
        model=BASE, messages=[{"role": "user", "content": "hello"}]
    )
    answers: list[tuple[Any, Any]] = [
        (FineTuningJob, job),
        (FineTuningJobEvent, pages.list_events(job.id).data[0]),
        (FineTuningJobCheckpoint, pages.checkpoints.list(job.id).data[0]),
        (FileObject, client.files.retrieve(job.training_file)),
        (ChatCompletion, chat),
    ]
    for model, answer in answers:
        required = {name for name, info in model.model_fields.items() if info.is_required()}
        assert required <= answer.model_fields_set, model
        # What is sent is in the types too, but for three that the examples of OpenAPI show.
        extra = {"user_provided_suffix", "usage_metrics", "shared_with_openai"}
        assert set(answer.model_extra or {}) <= extra, model


def test_speed_and_latency_run_on_the_real_clock() -> None:
    app = create_app(speed=100, latency=0.05)
    row = json.dumps(
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    )
    with serve(app) as url, OpenAI(api_key="sk-sandbox", base_url=f"{url}/v1") as client:
        began = time.monotonic()
        raw = "\n".join([row] * 10).encode()
        file = client.files.create(file=("t.jsonl", raw), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model=BASE, training_file=file.id)
        assert time.monotonic() - began >= 0.1
        while job.status != "succeeded":
            assert time.monotonic() - began < 5
            job = client.fine_tuning.jobs.retrieve(job.id)
        assert math.isclose(time.monotonic() - began, 0.3, abs_tol=1.5)
