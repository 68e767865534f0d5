"""What the emulator refuses, and everything beside the life of one job."""

from __future__ import annotations

import threading
from typing import Any

import openai
import pytest
from openai import OpenAI

BASE = "gpt-4o-mini-2024-07-18"
GRADER = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference}}",
    "operation": "eq",
}


def supervised(**hyperparameters: Any) -> dict[str, Any]:
    return {"method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}}


def reinforcement(**settings: Any) -> dict[str, Any]:
    return {"model": "o4-mini", "method": {"type": "reinforcement", "reinforcement": settings}}


REFUSED: dict[str, tuple[dict[str, Any], str | None]] = {
    "unknown field": ({"extra_body": {"n_epoch": 3}}, "n_epoch"),
    "unknown nested field": (supervised(epochs=3), "method.supervised.hyperparameters.epochs"),
    "missing model": ({"extra_body": {"model": None}}, "model"),
    "unknown model": ({"model": "gpt-9"}, "model"),
    "untunable model": ({"model": "gpt-5-mini"}, "model"),
    "unknown tuned model": ({"model": f"ft:{BASE}:sandbox::12345678"}, "model"),
    "missing file": ({"training_file": "file-none"}, "training_file"),
    "missing validation file": ({"validation_file": "file-none"}, "validation_file"),
    "long suffix": ({"suffix": "x" * 65}, "suffix"),
    "empty suffix": ({"suffix": ""}, "suffix"),
    "suffix of a wrong type": ({"suffix": 3}, "suffix"),
    "seed too large": ({"seed": 2**31}, "seed"),
    "negative seed": ({"seed": -1}, "seed"),
    "fractional seed": ({"seed": 1.5}, "seed"),
    "boolean seed": ({"seed": True}, "seed"),
    "17 metadata pairs": ({"metadata": {str(n): "v" for n in range(17)}}, "metadata"),
    "long metadata key": ({"metadata": {"k" * 65: "v"}}, "metadata"),
    "long metadata value": ({"metadata": {"k": "v" * 513}}, "metadata.k"),
    "metadata of a wrong type": ({"metadata": {"k": 3}}, "metadata.k"),
    "no epochs": (supervised(n_epochs=0), "method.supervised.hyperparameters.n_epochs"),
    "51 epochs": (supervised(n_epochs=51), "method.supervised.hyperparameters.n_epochs"),
    "half an epoch": (supervised(n_epochs=1.5), "method.supervised.hyperparameters.n_epochs"),
    "a word": (supervised(n_epochs="many"), "method.supervised.hyperparameters.n_epochs"),
    "batch of 257": (supervised(batch_size=257), "method.supervised.hyperparameters.batch_size"),
    "no learning": (
        supervised(learning_rate_multiplier=0),
        "method.supervised.hyperparameters.learning_rate_multiplier",
    ),
    "old form out of range": ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs"),
    "beta above 2": (
        {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2.1}}}},
        "method.dpo.hyperparameters.beta",
    ),
    "beta for supervised": (supervised(beta=0.1), "method.supervised.hyperparameters.beta"),
    "unknown method": ({"method": {"type": "ppo"}}, "method.type"),
    "no method type": ({"method": {"supervised": {}}}, "method.type"),
    "another method's settings": (
        {"method": {"type": "dpo", "supervised": {}}},
        "method.supervised",
    ),
    "hyperparameters twice": (
        {"hyperparameters": {}, **supervised()},
        "hyperparameters",
    ),
    "dpo on gpt-3.5": ({"model": "gpt-3.5-turbo", "method": {"type": "dpo"}}, "method.type"),
    "rl on gpt-4o": (
        {"method": {"type": "reinforcement", "reinforcement": {"grader": GRADER}}},
        "method.type",
    ),
    "rl without settings": (
        {"model": "o4-mini", "method": {"type": "reinforcement"}},
        "method.reinforcement.grader",
    ),
    "rl without grader": (reinforcement(), "method.reinforcement.grader"),
    "unknown grader": (
        reinforcement(grader={**GRADER, "type": "oracle"}),
        "method.reinforcement.grader.type",
    ),
    "grader without name": (
        reinforcement(grader={k: v for k, v in GRADER.items() if k != "name"}),
        "method.reinforcement.grader.name",
    ),
    "bad nested grader": (
        reinforcement(
            grader={
                "type": "multi",
                "name": "m",
                "calculate_output": "a",
                "graders": {"a": {**GRADER, "operation": "is"}},
            }
        ),
        "method.reinforcement.grader.graders.a.operation",
    ),
    "unknown integration": (
        {"integrations": [{"type": "mlflow", "wandb": {"project": "p"}}]},
        "integrations[0].type",
    ),
    "wandb without project": (
        {"integrations": [{"type": "wandb", "wandb": {}}]},
        "integrations[0].wandb.project",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_job_is_refused_and_not_created(world: Any, case: str) -> None:
    asked, param = REFUSED[case]
    with pytest.raises(openai.BadRequestError) as refusal:
        world.job(**asked)
    error = refusal.value
    assert error.param == param
    assert error.type == "invalid_request_error"
    assert error.code
    assert error.request_id
    assert isinstance(error.body, dict)
    assert error.body.keys() == {"message", "type", "param", "code"}
    assert world.store.jobs == {}


def test_a_file_of_another_purpose_cannot_be_trained_on(world: Any) -> None:
    file = world.client.files.create(file=("t.jsonl", b"{}"), purpose="user_data")
    with pytest.raises(openai.BadRequestError) as refusal:
        world.job(training_file=file.id)
    assert refusal.value.code == "invalid_file_purpose"


def test_two_graders_forms_and_all_optional_fields_are_taken(world: Any) -> None:
    multi = {"type": "multi", "name": "m", "calculate_output": "a"}
    for graders in (GRADER, {"a": GRADER}):
        world.job(**reinforcement(grader={**multi, "graders": graders}))
    wandb = {"type": "wandb", "wandb": {"project": "p", "name": None, "tags": ["t"]}}
    job = world.job(
        seed=7, suffix="s", metadata={"a": "b"}, integrations=[wandb], **supervised(n_epochs="auto")
    )
    assert (job.seed, job.metadata) == (7, {"a": "b"})
    assert job.integrations[0].wandb.project == "p"
    assert world.job(seed=None, suffix=None, metadata=None, validation_file=None).metadata is None


def test_keys_are_checked_and_masked(world: Any) -> None:
    with pytest.raises(openai.AuthenticationError) as refusal:
        world.connect("sk-secret-secret-9999").models.list()
    assert refusal.value.code == "invalid_api_key"
    assert "secret" not in refusal.value.message
    assert refusal.value.request_id
    with pytest.raises(openai.AuthenticationError):
        world.client.models.list(extra_headers={"Authorization": openai.Omit()})


def test_unknown_routes_ids_and_bodies(world: Any) -> None:
    client: OpenAI = world.client
    attempts: list[tuple[type[openai.APIStatusError], Any]] = [
        (openai.NotFoundError, lambda: client.get("/nothing", cast_to=object)),
        (openai.APIStatusError, lambda: client.post("/models", cast_to=object)),
        (openai.NotFoundError, lambda: client.fine_tuning.jobs.retrieve("ftjob-x")),
        (openai.NotFoundError, lambda: client.fine_tuning.jobs.cancel("ftjob-x")),
        (openai.NotFoundError, lambda: client.fine_tuning.jobs.list_events("ftjob-x")),
        (openai.NotFoundError, lambda: client.files.retrieve("file-x")),
        (openai.NotFoundError, lambda: client.files.content("file-x")),
        (openai.NotFoundError, lambda: client.files.delete("file-x")),
        (openai.NotFoundError, lambda: client.models.retrieve("ft:x:y::z")),
        (openai.PermissionDeniedError, lambda: client.models.delete(BASE)),
        (openai.BadRequestError, lambda: client.files.list(limit=0)),
        (openai.BadRequestError, lambda: client.files.list(after="file-x")),
        (openai.BadRequestError, lambda: client.fine_tuning.jobs.list(limit=101)),
        (openai.BadRequestError, lambda: client.models.list(extra_query={"page": 2})),
        (
            openai.BadRequestError,
            lambda: client.post("/fine_tuning/jobs", cast_to=object, body=[1]),
        ),
    ]
    for expected, act in attempts:
        with pytest.raises(expected) as refusal:
            act()
        assert refusal.value.request_id
        assert refusal.value.type == "invalid_request_error"


def test_jobs_page_over_250(world: Any) -> None:
    file = world.rows(count=10)
    made = []
    for number in range(250):
        world.now += 1
        made.append(world.job(training_file=file, metadata={"n": str(number % 2)}).id)
    assert [job.id for job in world.client.fine_tuning.jobs.list(limit=100)] == made[::-1]
    first = world.client.fine_tuning.jobs.list()
    assert (len(first.data), first.has_more) == (20, True)
    odd = [job.id for job in world.client.fine_tuning.jobs.list(limit=100, metadata={"n": "1"})]
    assert odd == made[1::2][::-1]
    sent = [r for r in world.store.requests if ("metadata[n]", "1") in r.query]
    assert len(sent) == 2  # 125 jobs in two pages: the SDK keeps the filter


def test_metadata_filters(world: Any) -> None:
    both = world.job(metadata={"a": "1", "b": ""}).id
    none = world.job().id
    jobs = world.client.fine_tuning.jobs

    def ids(**asked: Any) -> list[str]:
        return [job.id for job in jobs.list(**asked)]

    assert ids() == [none, both]
    assert ids(metadata={"a": "1"}) == ids(metadata={"a": "1", "b": ""}) == [both]
    assert ids(metadata={"b": ""}) == [both]
    assert ids(metadata={"a": "2"}) == ids(metadata={"c": ""}) == []
    assert ids(extra_query={"metadata": "null"}) == [none]
    with pytest.raises(openai.BadRequestError):
        ids(extra_query={"metadata": "null", "metadata[a]": "1"})


def test_lists_can_lag_behind_creates(world: Any) -> None:
    world.store.list_lag = 5.0
    job = world.job()
    assert list(world.client.fine_tuning.jobs.list()) == list(world.client.files.list()) == []
    assert world.get(job.id).id == job.id
    world.now += 5
    assert [each.id for each in world.client.fine_tuning.jobs.list()] == [job.id]
    world.store.lag_lists_until(job.id, world.now + 5)
    assert list(world.client.fine_tuning.jobs.list()) == []
    world.now += 5
    assert len(list(world.client.fine_tuning.jobs.list())) == 1


def test_parallel_clients_lose_nothing(world: Any) -> None:
    file = world.rows()
    threads = [threading.Thread(target=world.job, kwargs={"training_file": file}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.store.jobs) == 8
