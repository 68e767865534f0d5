"""Tuning jobs: Google's own SDK against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.aiplatform_v1beta1.types import TuningJob
from google.genai import errors, types
from google.protobuf import json_format
from vertex_world import (
    BASE,
    OPEN,
    World,
    chat_row,
    content,
    lines,
    pair_row,
    reward_row,
    status,
)

from ftbridge_vertex.emulator import BUCKET, NUMBER

PHASES = (
    (0, "QUEUED", None),
    (1, "PENDING", None),
    (1, "RUNNING", "WAITING_FOR_QUOTA"),
    (1, "RUNNING", "PROCESSING_DATASET"),
    (2, "RUNNING", "WAITING_FOR_CAPACITY"),
    (2, "RUNNING", "TUNING"),
    (12, "RUNNING", "POST_PROCESSING"),
    (1, "SUCCEEDED", None),
)


def test_a_job_goes_through_states_and_sub_states_and_tells_its_billed_tokens(world: World) -> None:
    job = world.tune(epoch_count=2, adapter_size="ADAPTER_SIZE_FOUR", labels={"ftb": "key-1"})
    assert job.name.startswith(f"projects/{NUMBER}/locations/us-central1/tuningJobs/")
    for seconds, word, sub in PHASES:
        world.now += seconds
        seen = world.get(job)
        assert seen.state == f"JOB_STATE_{word}"
        assert seen.tuning_job_state == (sub and f"TUNING_JOB_STATE_{sub}")
    stats = seen.tuning_data_stats.supervised_tuning_data_stats
    assert stats.tuning_dataset_example_count == 40
    assert stats.total_billable_token_count > 40
    assert stats.tuning_step_count == 4
    assert seen.supervised_tuning_spec.hyper_parameters.epoch_count == 2
    assert seen.tuning_job_metadata.completed_epoch_count == 2
    assert [each.epoch for each in seen.tuned_model.checkpoints] == [1, 2]
    assert seen.tuned_model.endpoint == seen.tuned_model.checkpoints[-1].endpoint
    assert seen.tuned_model.model.endswith("@1")
    assert (seen.end_time - seen.create_time).total_seconds() == 20


def test_a_supervised_answer_fits_the_vendors_protobuf(world: World) -> None:
    job = world.tune(epoch_count=2, validation_dataset=None, labels={"a": "b"})
    for _ in range(2):
        answer = world.raw("GET", f"tuningJobs/{job.name.rpartition('/')[2]}")
        answer.pop("tuningJobState", None)  # newer than the messages of 2.7.0, as is the next
        answer.pop("tuningJobMetadata", None)
        json_format.ParseDict(answer, TuningJob.pb()())
        world.now += 20


def _spec(method: str, **more: Any) -> dict[str, Any]:
    reward = types.SingleReinforcementTuningRewardConfig(
        reward_name="r",
        string_match_reward_scorer=types.ReinforcementTuningStringMatchRewardScorer(
            correct_answer_reward=1.0,
            wrong_answer_reward=-1.0,
            string_match_expression={  # type: ignore[arg-type]
                "match_operation": "EXACT_MATCH",
                "expression": "{{references.answer}}",
            },
        ),
    )
    own: dict[str, dict[str, Any]] = {
        "PREFERENCE_TUNING": {"beta": 0.1},
        "DISTILLATION": {"base_teacher_model": "gemini-2.5-pro"},
        "REINFORCEMENT_TUNING": {"reward_config": reward, "samples_per_prompt": 8},
    }
    return {"method": method, **own.get(method, {}), **more}


ROWS = {
    "PREFERENCE_TUNING": pair_row,
    "DISTILLATION": chat_row,
    "REINFORCEMENT_TUNING": reward_row,
}


@pytest.mark.parametrize("method", sorted(ROWS))
def test_every_method_has_its_own_spec_and_statistics(world: World, method: str) -> None:
    uri = world.data([ROWS[method](number) for number in range(4)])
    job = world.tune(uri, **_spec(method, epoch_count=1))
    world.now += 20
    done = world.get(job)
    assert done.state == "JOB_STATE_SUCCEEDED"
    stats = done.tuning_data_stats
    if method == "PREFERENCE_TUNING":
        assert done.preference_optimization_spec.hyper_parameters.beta == 0.1
        assert stats.preference_optimization_data_stats.tuning_dataset_example_count == 4
    elif method == "DISTILLATION":
        inner = stats.distillation_data_stats.training_dataset_stats
        assert inner.tuning_dataset_example_count == 4
    else:
        scorer = done.reinforcement_tuning_spec.single_reward_config.string_match_reward_scorer
        assert scorer.wrong_answer_reward == -1.0
        assert stats.reinforcement_tuning_data_stats.total_billable_token_count > 0
    assert done.tuned_model.checkpoints is None  # one epoch, one checkpoint


def test_an_open_model_leaves_its_weights_under_output_uri(world: World) -> None:
    rows = [{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}]
    out = f"gs://{BUCKET}/out"
    job = world.tune(
        world.data(rows), OPEN, output_uri=out, learning_rate=1e-4, batch_size=4,
        tuning_mode="TUNING_MODE_PEFT_ADAPTER",
    )  # fmt: skip
    assert list(world.bucket().list_blobs(prefix="out/")) == []
    world.now += 20
    assert world.get(job).tuned_model is None
    names = [each.name.rpartition("/")[2] for each in world.bucket().list_blobs(prefix="out/")]
    assert names == ["adapter_config.json", "adapter_model.safetensors"]


BAD: dict[str, dict[str, Any]] = {
    "no epochs": {"epoch_count": 0},
    "rate of zero": {"learning_rate_multiplier": 0.0},
    "a rate for Gemini": {"learning_rate": 1e-4},
    "a batch for Gemini": {"batch_size": 8},
    "full tuning of Gemini": {"tuning_mode": "TUNING_MODE_FULL"},
    "an output for Gemini": {"output_uri": f"gs://{BUCKET}/out"},
    "capital label": {"labels": {"Key": "v"}},
    "long label": {"labels": {"k": "v" * 64}},
    "long name": {"tuned_model_display_name": "n" * 129},
    "odd adapter": {"adapter_size": "ADAPTER_SIZE_UNSPECIFIED"},
    "unknown model": {"base": "gemini-1.0-pro"},
    "an open model without output": {"base": OPEN},
    "a multiplier for an open model": {
        "base": OPEN, "output_uri": f"gs://{BUCKET}/o", "learning_rate_multiplier": 1.0,
    },
    "an open model elsewhere": {
        "base": OPEN, "output_uri": f"gs://{BUCKET}/o", "location": "us-east1",
    },
    "nowhere in particular": {"location": "global"},
    "no such data": {"uri": f"gs://{BUCKET}/none.jsonl"},
    "no teacher": {"method": "DISTILLATION"},
    "no reward": {"method": "REINFORCEMENT_TUNING"},
    "samples not by sixteen": _spec("REINFORCEMENT_TUNING", batch_size=3, samples_per_prompt=3),
    "multiplier above four": _spec("REINFORCEMENT_TUNING", learning_rate_multiplier=5.0),
    "thinking of a kind": _spec("REINFORCEMENT_TUNING", thinking_level="MEDIUM"),
    "answers too long": _spec("REINFORCEMENT_TUNING", max_output_tokens=40000),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:MEDIUM is not a valid")
@pytest.mark.parametrize("case", sorted(BAD))
def test_what_is_wrong_with_a_request_is_refused_at_once(world: World, case: str) -> None:
    with pytest.raises(errors.ClientError) as caught:
        world.tune(**BAD[case])
    assert status(caught) == (400, "INVALID_ARGUMENT")
    assert not world.store.jobs


RAW: dict[str, Any] = {
    "unknown field": {"seed": 1},
    "no spec": {"supervisedTuningSpec": None},
    "two specs": {"preferenceOptimizationSpec": {"trainingDatasetUri": f"gs://{BUCKET}/x"}},
    "text for a number": {"supervisedTuningSpec": {"hyperParameters": {"epochCount": "many"}}},
    "no data": {"supervisedTuningSpec": {}},
    "two sources": {"preTunedModel": {"tuned_model_name": "x"}},
}


@pytest.mark.parametrize("case", sorted(RAW))
def test_what_no_sdk_sends_is_refused_with_the_field(world: World, case: str) -> None:
    uri = world.data([chat_row(1)])
    body = {"baseModel": BASE, "supervisedTuningSpec": {"trainingDatasetUri": uri}, **RAW[case]}
    error = world.post("tuningJobs", {k: v for k, v in body.items() if v is not None})["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][0]["fieldViolations"][0]["field"]


def test_protobufs_json_takes_int64_as_text_and_snake_case(world: World) -> None:
    spec = {
        "training_dataset_uri": world.data([chat_row(1)]),
        "hyper_parameters": {"epochCount": "2"},
    }
    made = world.post("tuningJobs", {"base_model": BASE, "supervised_tuning_spec": spec})
    assert made["supervisedTuningSpec"]["hyperParameters"] == {"epochCount": "2"}


SFT, DPO = "SUPERVISED_FINE_TUNING", "PREFERENCE_TUNING"
BAD_ROWS: dict[str, tuple[str, Any]] = {
    "not JSON": (SFT, "{"),
    "ends with the user": (SFT, {"contents": chat_row(1)["contents"][:1]}),
    "starts with the model": (SFT, {"contents": chat_row(1)["contents"][1:]}),
    "unknown key": (SFT, {**chat_row(1), "weight": 1}),
    "unknown role": (SFT, {"contents": [content("bot", "x")]}),
    "OpenAI's shape": (SFT, {"messages": []}),
    "one side": (DPO, {**pair_row(1), "completions": pair_row(1)["completions"][:1]}),
    "numbers as references": ("REINFORCEMENT_TUNING", {**reward_row(1), "references": {"a": 1}}),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(BAD_ROWS))
def test_bad_data_fail_the_job_while_they_are_processed(world: World, case: str) -> None:
    method, row = BAD_ROWS[case]
    uri = f"gs://{BUCKET}/bad.jsonl"
    text = row if isinstance(row, str) else lines([row])
    world.bucket().blob("bad.jsonl").upload_from_string(text)
    job = world.tune(uri, **_spec(method))
    world.now += 4
    assert world.get(job).tuning_job_state == "TUNING_JOB_STATE_PROCESSING_DATASET"
    world.now += 2
    done = world.get(job)
    assert done.state == "JOB_STATE_FAILED"
    assert done.error.code == 3 and uri in done.error.message
    assert done.tuned_model is None and done.tuning_data_stats is None


def test_cancelling_takes_a_moment_and_ends_with_an_error(world: World) -> None:
    job = world.tune()
    world.now += 10
    world.client().tunings.cancel(name=job.name)
    assert world.get(job).state == "JOB_STATE_CANCELLING"
    world.client().tunings.cancel(name=job.name)
    world.now += 1
    done = world.get(job)
    assert done.state == "JOB_STATE_CANCELLED" and done.error.code == 1
    assert (done.end_time - done.create_time).total_seconds() == 11
    with pytest.raises(errors.ClientError) as caught:
        world.client().tunings.cancel(name=job.name)
    assert status(caught) == (400, "FAILED_PRECONDITION")


def test_lists_have_pages_filters_and_a_lag(world: World) -> None:
    uri = world.data([chat_row(1)])
    spec = {"trainingDatasetUri": uri}
    for number in range(250):
        labels = {"ftb": f"k{number}", "half": str(number % 2)}
        world.post(
            "tuningJobs", {"baseModel": BASE, "supervisedTuningSpec": spec, "labels": labels}
        )
    client = world.client()
    everything = [job.name for job in client.tunings.list(config={"page_size": 500})]
    assert len(everything) == len(set(everything)) == 250
    pages = [each for each in world.store.requests if each.path.endswith("/tuningJobs")]
    assert len([each for each in pages if each.method == "GET"]) == 3  # 500 is taken as 100
    odd = {"page_size": 30, "filter": 'labels.half="1" AND labels.ftb:*'}
    assert sum(1 for _ in client.tunings.list(config=odd)) == 125
    one = list(client.tunings.list(config={"filter": "labels.ftb=k7"}))
    assert [job.labels["ftb"] for job in one] == ["k7"]
    elsewhere = world.client("europe-west4").tunings.list()
    assert list(elsewhere) == []
    with pytest.raises(errors.ClientError):
        client.tunings.list(config={"filter": "labels.ftb ~ k"})
    world.store.list_lag = 5.0
    assert list(client.tunings.list()) == []
    assert world.get(type("J", (), {"name": everything[0]})).state == "JOB_STATE_QUEUED"


def test_invented_states_come_through(world: World) -> None:
    job = world.tune()
    world.store.force_status(job.name, "JOB_STATE_WEIRD")
    with pytest.warns(UserWarning, match="JOB_STATE_WEIRD"):
        assert world.get(job).state.value == "JOB_STATE_WEIRD"
    world.store.force_status(job.name, "TUNING_JOB_STATE_TUNING")
    assert world.get(job).tuning_job_state == "TUNING_JOB_STATE_TUNING"
    world.store.force_status(job.name, None)
    assert world.get(job).state == "JOB_STATE_QUEUED"


def test_credentials_project_and_unknown_names(world: World) -> None:
    job = world.tune()
    cases = [
        (world.client(token="other"), 401, "UNAUTHENTICATED"),
        (world.client(project="someone-elses"), 403, "PERMISSION_DENIED"),
        (world.client("europe-west4"), 404, "NOT_FOUND"),
    ]
    for client, code, word in cases:
        with pytest.raises(errors.ClientError) as caught:
            client.tunings.get(name=f"tuningJobs/{job.name.rpartition('/')[2]}")
        assert status(caught) == (code, word)


def test_a_reward_is_tried_before_a_job(world: World) -> None:
    example = types.ReinforcementTuningExample(
        contents=[types.Content(role="user", parts=[types.Part(text="17 + 3?")])],
        references={"answer": "20"},
    )
    reward = _spec("REINFORCEMENT_TUNING")["reward_config"]
    for said, earned in (("20", 1.0), ("21", -1.0)):
        answer = world.client().tunings.validate_reward(
            parent="projects/ftbridge-sandbox/locations/us-central1",
            sample_response=types.Content(parts=[types.Part(text=said)]),
            example=example,
            single_reward_config=reward,
        )
        assert answer.overall_reward == earned
        assert answer.reward_info_details["r"].reward == earned
