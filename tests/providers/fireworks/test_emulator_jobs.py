"""The three kinds of job: the real SDK against the emulator."""

from __future__ import annotations

import json
from typing import Any

import fireworks
import httpx
import pytest
from fireworks import Fireworks
from fireworks_world import BASE, EMPTY, START, World, chat_row, code, preference_row

from ftbridge.testing.server import serve
from ftbridge_fireworks.emulator import create_app

STATES = ("CREATING", "VALIDATING", "PENDING", "RUNNING", "WRITING_RESULTS", "COMPLETED")


def test_a_job_goes_through_its_states_and_tells_its_cost_after_creation(world: World) -> None:
    created = world.sft(epochs=2)
    assert created.estimated_cost is None
    assert created.output_model == "accounts/sandbox/models/job-1"
    seen = []
    for seconds in (0, 1, 2, 3, 12, 2):
        world.now += seconds
        seen.append(world.get().state)
    assert seen == [f"JOB_STATE_{state}" for state in STATES]
    done = world.get()
    assert done.job_progress.percent == 100
    assert done.estimated_cost.currency_code == "USD"
    assert done.estimated_cost.nanos == done.job_progress.input_tokens * 500
    assert done.completed_time.timestamp() == done.create_time.timestamp() + 20
    row = httpx.get(done.metrics_file_signed_url).text.splitlines()[0]
    assert set(json.loads(row)) == {"step", "train_loss"}


def test_a_dpo_job_nests_its_settings_and_has_no_cost(world: World) -> None:
    data = world.dataset([preference_row(n) for n in range(12)])
    job = world.client.dpo_jobs.create(
        dataset=data,
        dpo_job_id="pref",
        training_config={"base_model": BASE, "epochs": 1, "lora_rank": 8},
        loss_config={"method": "DPO", "dpo": {"beta": 0.1}},
    )
    assert job.training_config is not None and job.training_config.lora_rank == 8
    world.now += 20
    assert world.client.dpo_jobs.get("pref").state == "JOB_STATE_COMPLETED"
    signed: Any = world.client.dpo_jobs.get_metrics_file_endpoint("pref")
    assert httpx.get(signed.signed_url).status_code == 200
    raw = world.client.dpo_jobs.with_raw_response.get("pref").json()
    assert "estimatedCost" not in str(raw)


def test_a_taken_id_is_refused_and_a_deleted_one_is_free(world: World) -> None:
    data = world.sft().dataset
    with pytest.raises(fireworks.ConflictError) as caught:
        world.sft(dataset=data)
    assert code(caught) == 6
    assert len(world.store.jobs) == 1
    with pytest.raises(fireworks.BadRequestError):
        world.client.supervised_fine_tuning_jobs.delete("job-1")
    world.client.supervised_fine_tuning_jobs.cancel("job-1", body=EMPTY)
    assert world.get().state == "JOB_STATE_CANCELLING"
    world.now += 1
    assert world.get().state == "JOB_STATE_CANCELLED"
    world.client.supervised_fine_tuning_jobs.delete("job-1")
    assert world.sft(dataset=data).state == "JOB_STATE_CREATING"


def test_only_a_suspended_job_resumes(world: World) -> None:
    world.sft()
    world.now += 10
    with pytest.raises(fireworks.BadRequestError) as caught:
        world.client.supervised_fine_tuning_jobs.resume("job-1", body=EMPTY)
    assert code(caught) == 9
    world.store.suspend("job-1", world.now)
    world.now += 100
    assert world.get().state == "JOB_STATE_PAUSED"
    world.client.supervised_fine_tuning_jobs.resume("job-1", body=EMPTY)
    world.now += 10
    assert world.get().state == "JOB_STATE_COMPLETED"
    with pytest.raises(fireworks.BadRequestError):
        world.client.supervised_fine_tuning_jobs.cancel("job-1", body=EMPTY)


BAD_BODIES: dict[str, dict[str, Any]] = {
    "unknown field": {"extra_body": {"seed": 1}},
    "string for a number": {"epochs": "3"},
    "no epochs": {"epochs": 0},
    "rank too small": {"lora_rank": 2},
    "rank too large": {"lora_rank": 64},
    "rate of zero": {"learning_rate": 0},
    "both starts": {"warm_start_from": "accounts/sandbox/models/other"},
    "region": {"region": "MARS_1"},
    "short dataset name": {"dataset": "data"},
    "unknown query": {"extra_query": {"validateOnly": "true"}},
    "purpose": {"use_purpose": "fun"},
    "untunable": {"base_model": "accounts/fireworks/models/deepseek-v3p1"},
    "no power of two": {"lora_rank": 12},
    "deprecated batch": {"batch_size": 4096},
    "deprecated steps": {"gradient_accumulation_steps": 4},
    "deprecated template": {"jinja_template": "{{ x }}"},
    "bad id": {"supervised_fine_tuning_job_id": "Job_1"},
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_what_is_wrong_with_a_request_is_refused_at_once(world: World, case: str) -> None:
    asked: dict[str, Any] = {
        "dataset": world.dataset([chat_row(n) for n in range(3)]),
        "base_model": BASE,
        "supervised_fine_tuning_job_id": "job-1",
        **BAD_BODIES[case],
    }
    with pytest.raises(fireworks.BadRequestError) as caught:
        world.client.supervised_fine_tuning_jobs.create(**asked)
    assert code(caught) == 3
    assert not world.store.jobs


@pytest.mark.parametrize("beta", [0, 0.5])
def test_beta_lies_between_zero_and_a_half(world: World, beta: float) -> None:
    with pytest.raises(fireworks.BadRequestError):
        world.client.dpo_jobs.create(
            dataset=world.dataset([preference_row(n) for n in range(3)]),
            training_config={"base_model": BASE},
            loss_config={"method": "DPO", "dpo": {"beta": beta}},
        )


def test_lists_have_pages_orders_filters_and_a_lag(world: World) -> None:
    data = world.dataset([chat_row(n) for n in range(3)])
    for number in range(250):
        world.sft(f"job-{number:03}", dataset=data, display_name=f"n{number % 2}")
    jobs = world.client.supervised_fine_tuning_jobs
    everything = [str(job.name) for job in jobs.list(page_size=500)]
    assert len(everything) == len(set(everything)) == 250 and everything == sorted(everything)
    pages = [each for each in world.store.requests if each.method == "GET"]
    assert len(pages) == 2  # 500 is taken as 200
    assert sum(1 for _ in jobs.list(filter='display_name="n1"')) == 125
    last = next(iter(jobs.list(order_by="name desc", page_size=1)))
    assert last.name == everything[-1]
    world.store.list_lag = 5.0
    assert list(jobs.list()) == []
    assert world.get("job-000").state == "JOB_STATE_CREATING"


def test_forced_states_and_the_wandb_key(world: World) -> None:
    made = world.sft(wandb_config={"enabled": True, "api_key": "secret", "project": "p"})
    assert made.wandb_config.api_key is None
    world.store.force_status("job-1", "JOB_STATE_NEW")
    assert world.get().state == "JOB_STATE_NEW"
    world.store.force_status("job-1", None)
    assert world.get().state == "JOB_STATE_CREATING"


def test_speed_divides_every_duration() -> None:
    now = [START]
    app = create_app(speed=10, clock=lambda: now[0])
    with (
        serve(app) as url,
        Fireworks(
            api_key="fw_sandbox", account_id="sandbox", base_url=url, max_retries=0
        ) as client,
    ):
        settings: Any = {"user_uploaded": {}}
        client.datasets.create(dataset_id="data", dataset=settings)
        content = "\n".join(json.dumps(chat_row(n)) for n in range(3)).encode()
        client.datasets.upload("data", file=("a.jsonl", content))
        now[0] += 0.1
        client.supervised_fine_tuning_jobs.create(
            dataset="accounts/sandbox/datasets/data",
            base_model=BASE,
            supervised_fine_tuning_job_id="fast",
        )
        now[0] += 2
        assert client.supervised_fine_tuning_jobs.get("fast").state == "JOB_STATE_COMPLETED"


REWARDED: dict[str, Any] = {
    "reinforcement_fine_tuning_job_id": "reward",
    "evaluator": "accounts/sandbox/evaluators/sandbox",
    "training_config": {"base_model": BASE, "epochs": 2, "batch_size": 65536},
    "loss_config": {"method": "GRPO", "kl_beta": 0.01},
    "inference_parameters": {"response_candidates_count": 4, "temperature": 0.8},
}


def reward_row(number: int) -> dict[str, Any]:
    prompt = {"role": "user", "content": f"what is number{number}?"}
    return {"messages": [prompt], "reference": f"it is {number}", "level": 1}


def test_a_reinforcement_job_wants_an_evaluator_and_bills_seconds(world: World) -> None:
    data = world.dataset([reward_row(n) for n in range(12)])
    jobs = world.client.reinforcement_fine_tuning_jobs
    made = jobs.create(dataset=data, **REWARDED)
    assert made.state == "JOB_STATE_CREATING" and made.evaluator.endswith("/sandbox")
    world.now += 20
    done = jobs.get("reward")
    assert done.state == "JOB_STATE_COMPLETED" and done.training_config is not None
    assert done.training_config.output_model == "accounts/sandbox/models/reward"
    assert done.accelerator_seconds == {"NVIDIA_H100_80GB": "20"}
    assert "estimatedCost" not in str(jobs.with_raw_response.get("reward").json())


BAD_REWARDS: dict[str, tuple[type[Exception], dict[str, Any]]] = {
    "evaluator of nobody": (
        fireworks.NotFoundError, {"evaluator": "accounts/sandbox/evaluators/none"},
    ),
    "one candidate": (
        fireworks.BadRequestError, {"inference_parameters": {"response_candidates_count": 1}},
    ),
    "greedy": (fireworks.BadRequestError, {"inference_parameters": {"temperature": 0}}),
    "many epochs": (
        fireworks.BadRequestError, {"training_config": {"base_model": BASE, "epochs": 11}},
    ),
    "KL with DAPO": (
        fireworks.BadRequestError, {"loss_config": {"method": "DAPO", "kl_beta": 0.1}},
    ),
    "loss of pairs": (fireworks.BadRequestError, {"loss_config": {"method": "DPO"}}),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_REWARDS)
def test_what_is_wrong_with_a_reinforcement_job_is_refused(world: World, case: str) -> None:
    kind, changes = BAD_REWARDS[case]
    data = world.dataset([reward_row(n) for n in range(3)])
    with pytest.raises(kind):
        world.client.reinforcement_fine_tuning_jobs.create(dataset=data, **{**REWARDED, **changes})
    assert not world.store.jobs


def extras(shown: Any) -> set[str]:
    """Fields that the SDK's type does not know, at any depth."""
    fields = type(shown).model_fields
    # The SDK puts everything whose wire name is not the field's own among the extras too.
    found = set(shown.model_extra or {}) - {field.alias for field in fields.values()}
    for name in fields:
        value = getattr(shown, name)
        if hasattr(value, "model_extra"):
            found |= {f"{name}.{extra}" for extra in extras(value)}
    return found


def test_no_answer_has_a_field_that_the_sdk_does_not_know(world: World) -> None:
    world.sft(epochs=1, evaluation_dataset=world.dataset([chat_row(n) for n in range(3)], "eval"))
    pairs = world.dataset([preference_row(n) for n in range(3)], "pairs")
    client, config = world.client, {"base_model": BASE}
    client.dpo_jobs.create(dataset=pairs, dpo_job_id="p", training_config=config)
    prompts = world.dataset([reward_row(n) for n in range(3)], "prompts")
    client.reinforcement_fine_tuning_jobs.create(dataset=prompts, **REWARDED)
    for _ in range(2):
        for shown in (
            world.get(), client.dpo_jobs.get("p"), client.datasets.get("pairs"),
            client.reinforcement_fine_tuning_jobs.get("reward"),
            client.models.get("qwen3-8b", account_id="fireworks"),
        ):  # fmt: skip
            assert extras(shown) == set()
        world.now += 20
    client.deployments.create(base_model=BASE, deployment_id="dep", enable_addons=True)
    world.now += 5
    loaded = client.lora.load(
        model="accounts/sandbox/models/job-1", deployment="accounts/sandbox/deployments/dep"
    )
    for shown in (client.deployments.get("dep"), loaded, client.models.get("job-1")):
        assert extras(shown) == set()
