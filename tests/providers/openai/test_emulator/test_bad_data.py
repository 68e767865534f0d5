"""Training files that are wrong: the job is created, and fails after its files were read."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

BASE = "gpt-4o-mini-2024-07-18"
GRADER = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference}}",
    "operation": "eq",
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "supervised": (BASE, {"type": "supervised"}),
    "dpo": (BASE, {"type": "dpo"}),
    "reinforcement": (
        "o4-mini",
        {"type": "reinforcement", "reinforcement": {"grader": GRADER}},
    ),
}


def _user(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


BAD_ROWS: dict[str, tuple[str, str]] = {
    "broken json": ("supervised", '{"messages": ['),
    "an array": ("supervised", "[]"),
    "no messages": ("supervised", json.dumps({"text": "x"})),
    "unknown role": ("supervised", json.dumps({"messages": [{"role": "bot", "content": "x"}]})),
    "no role": ("supervised", json.dumps({"messages": [{"content": "x"}]})),
    "no assistant": ("supervised", json.dumps(_user("x"))),
    "unknown key": ("supervised", json.dumps({**_user("x"), "label": 1})),
    "weight of a user": (
        "supervised",
        json.dumps({"messages": [{"role": "user", "content": "x", "weight": 1}]}),
    ),
    "chat data": ("dpo", json.dumps(_user("x"))),
    "no rejected": ("dpo", json.dumps({"input": _user("x"), "preferred_output": []})),
    "user output": (
        "dpo",
        json.dumps(
            {
                "input": _user("x"),
                "preferred_output": _user("x")["messages"],
                "non_preferred_output": _user("x")["messages"],
            }
        ),
    ),
    "assistant last": (
        "reinforcement",
        json.dumps({"messages": [{"role": "assistant", "content": "x"}]}),
    ),
    "prompt only": ("reinforcement", json.dumps({"prompt": "x"})),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_data_fails_after_validation_and_names_the_file(world: Any, case: str) -> None:
    kind, row = BAD_ROWS[case]
    model, method = CASES[kind]
    job = world.job(model=model, method=method, training_file=world.upload(f"{row}\n" * 12))
    assert (job.status, job.error.code) == ("validating_files", None)
    world.now += 3.1
    failed = world.get(job.id)
    assert failed.status == "failed"
    assert failed.error.code == "invalid_training_file"
    assert failed.error.param == "training_file"
    assert failed.finished_at == job.created_at + 3
    events = list(world.client.fine_tuning.jobs.list_events(job.id))
    assert (events[0].level, events[0].message) == ("error", failed.error.message)
    with pytest.raises(openai.BadRequestError):
        world.client.fine_tuning.jobs.cancel(job.id)


def test_too_few_examples_have_a_code_of_their_own(world: Any) -> None:
    assert world.finished(training_file=world.rows(count=9)).error.code == "invalid_n_examples"
    assert world.finished(training_file=world.rows(count=10)).status == "succeeded"


def test_a_bad_validation_file_is_named(world: Any) -> None:
    job = world.finished(validation_file=world.upload("x"))
    assert (job.error.code, job.error.param) == ("invalid_validation_file", "validation_file")


def test_prompt_and_completion_are_for_the_two_old_models(world: Any) -> None:
    file = world.upload(
        json.dumps({"prompt": "a", "completion": "b"})
        + ("\n" + json.dumps({"prompt": "a", "completion": "b"})) * 9
    )
    assert world.finished(training_file=file, model="davinci-002").status == "succeeded"
    assert world.finished(training_file=file).status == "failed"
