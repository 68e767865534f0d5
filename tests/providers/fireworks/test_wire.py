"""What leaves this machine for Fireworks, and what comes of answers, through the real SDK.

The bodies are held against the parameter types of ``fireworks-ai`` 1.2.30 and
docs.fireworks.ai/fine-tuning/{fine-tuning-models,dpo-fine-tuning,parameter-tuning} (read
2026-11-25).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fireworks_spec import BASE, DATASET, spec
from recording import Recorder

from ftbridge.errors import UsageError, VendorError
from ftbridge.jobs.spec import Hyperparameters, JobSpec, Method
from ftbridge.jobs.states import State
from ftbridge.provider import ChatRequest, Context
from ftbridge_fireworks import Provider, wire

KEY = "ftb-0123456789abcdef0123456789abcdef"
JOBS = "/v1/accounts/acme"
GOLDEN: dict[str, tuple[JobSpec, str | None, tuple[str, str, dict[str, str]], dict[str, Any]]] = {
    "sft": (
        spec(
            hyperparameters={"n_epochs": 2, "batch_size": 16, "learning_rate": 1e-4, "lora_r": 16,
                             "weight_decay": 0.01},
            suffix="support",
            options={"max_context_length": "8192", "learning_rate_warmup_steps": "10",
                     "eval_auto_carveout": "false", "hosting_hours": "5"},
        ),
        "accounts/acme/datasets/ftbridge-1",
        ("POST", f"{JOBS}/supervisedFineTuningJobs", {"supervisedFineTuningJobId": KEY}),
        {
            "dataset": DATASET,
            "evaluationDataset": "accounts/acme/datasets/ftbridge-1",
            "evalAutoCarveout": False,
            "baseModel": BASE,
            "outputModel": "support-89abcdef",
            "epochs": 2,
            "batchSizeSamples": 16,
            "learningRate": 1e-4,
            "loraRank": 16,
            "optimizerWeightDecay": 0.01,
            "maxContextLength": 8192,
            "learningRateWarmupSteps": 10,
        },
    ),
    "dpo": (
        spec(method="dpo", hyperparameters={"n_epochs": 1, "beta": 0.2}),
        None,
        ("POST", f"{JOBS}/dpoJobs", {"dpoJobId": KEY}),
        {
            "dataset": DATASET,
            "trainingConfig": {"baseModel": BASE, "epochs": 1},
            "lossConfig": {"method": "DPO", "dpo": {"beta": 0.2}},
        },
    ),
    "rl": (
        spec(
            method="rl",
            hyperparameters={"learning_rate": 5e-5},
            options={"evaluator": "exact", "loss_method": "grpo", "kl_beta": "0.01",
                     "response_candidates_count": "4", "temperature": "0.8", "chunk_size": "100",
                     "batch_tokens": "65536"},
        ),
        None,
        ("POST", f"{JOBS}/reinforcementFineTuningJobs", {"reinforcementFineTuningJobId": KEY}),
        {
            "dataset": DATASET,
            "evaluator": "accounts/acme/evaluators/exact",
            "chunkSize": 100,
            "trainingConfig": {"baseModel": BASE, "learningRate": 5e-5, "batchSize": 65536},
            "lossConfig": {"method": "GRPO", "klBeta": 0.01},
            "inferenceParameters": {"responseCandidatesCount": 4, "temperature": 0.8},
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_requests(provider: Provider, recorder: Recorder, case: str) -> None:
    asked, validation, line, body = GOLDEN[case]
    made = provider.create(provider.request(asked, DATASET, validation, KEY), KEY)
    assert [(sent[:3], sent.body) for sent in recorder.seen] == [(line, body)]
    assert made.state is State.QUEUED and made.id.endswith("/ftb-1")
    assert recorder.seen[0].headers["authorization"] == "Bearer fw_very_secret"


def test_nothing_is_sent_that_was_not_asked_for(provider: Provider) -> None:
    assert provider.request(spec(), DATASET, None, KEY) == {
        "supervised_fine_tuning_job_id": KEY, "dataset": DATASET, "base_model": BASE,
    }  # fmt: skip
    assert provider.request(spec(method="dpo"), DATASET, None, KEY) == {
        "dpo_job_id": KEY,
        "dataset": DATASET,
        "training_config": {"base_model": BASE},
        "loss_config": {"method": "DPO"},
    }


def test_a_warm_start_takes_the_place_of_the_base(provider: Provider) -> None:
    asked = spec(options={"warm_start_from": "accounts/acme/models/old"})
    request = provider.request(asked, DATASET, None, KEY)
    assert request["warm_start_from"] == "accounts/acme/models/old" and "base_model" not in request


WRONG: dict[str, dict[str, Any]] = {
    "suffix with a dot": {"suffix": "a.b"},
    "suffix with capitals": {"suffix": "Support"},
    "long suffix": {"suffix": "x" * 55},
    "seed": {"seed": 1},
    "rank": {"hyperparameters": {"lora_r": 12}},
    "unknown option": {"options": {"colour": "red"}},
    "option of another method": {"options": {"evaluator": "e"}},
    "no number": {"options": {"max_context_length": "many"}},
    "no flag": {"options": {"eval_auto_carveout": "no"}},
    "rl without evaluator": {"method": "rl"},
    "negative": {"method": "rl", "options": {"evaluator": "e", "kl_beta": "-1"}},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_it_does_not_take(provider: Provider, case: str) -> None:
    with pytest.raises(UsageError) as caught:
        provider.request(spec(**WRONG[case]), DATASET, None, KEY)
    assert caught.value.where


def test_dpo_takes_no_validation_data(provider: Provider) -> None:
    with pytest.raises(UsageError):
        provider.request(spec(method="dpo"), DATASET, DATASET, KEY)


VALUES: dict[str, float] = {
    "n_epochs": 2, "batch_size": 4, "learning_rate": 1e-4, "learning_rate_multiplier": 0.1,
    "lora_r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "warmup_ratio": 0.1,
    "weight_decay": 0.01, "beta": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("method", list(Method))
def test_what_the_catalogue_takes_is_what_the_wire_carries(
    provider: Provider, method: Method
) -> None:
    """Both ways: a name that is taken changes the request, any other is refused."""
    assert set(VALUES) == set(Hyperparameters.model_fields)
    options = {"evaluator": "e"} if method is Method.RL else {}
    bare = provider.request(spec(method=method, options=options), DATASET, None, KEY)
    for name, value in VALUES.items():
        asked = spec(method=method, options=options, hyperparameters={name: value})
        taken = name in provider.catalogue().hyperparameters[method]
        assert (provider.request(asked, DATASET, None, KEY) != bare) is taken, name
        if not taken:
            with pytest.raises(UsageError):
                provider.catalogue().check_hyperparameters(method, asked.hyperparameters)


@pytest.mark.parametrize("kind", wire.KINDS.values(), ids=list(wire.KINDS))
@pytest.mark.parametrize("raw", [*wire.STATES, wire.UNSPECIFIED, "JOB_STATE_DREAMING"])
def test_states(kind: wire.Kind, raw: str) -> None:
    name = f"accounts/acme/{kind.list}/ftb-1"
    output = {"outputModel": "accounts/acme/models/m"}
    body = output if kind is wire.KINDS[Method.SFT] else {"trainingConfig": output}
    seen = wire.job({"name": name, "state": raw, **body})
    state = wire.STATES.get(raw, State.UNKNOWN)
    assert (seen.id, seen.state, seen.raw_state) == (name, state, raw)
    assert seen.stopping is (raw == "JOB_STATE_CANCELLING")
    assert (seen.model is not None) is (state is State.SUCCEEDED)
    assert (seen.error is not None) is (state is State.FAILED)


def test_the_table_holds_every_state_of_the_sdk() -> None:
    from typing import get_args

    from fireworks.types import SupervisedFineTuningJob

    words = get_args(get_args(SupervisedFineTuningJob.model_fields["state"].annotation)[0])
    assert set(words) == {*wire.STATES, wire.UNSPECIFIED} and len(words) == 18


@pytest.mark.parametrize(
    ("cost", "usd"),
    [(None, None), ({"currencyCode": "USD", "units": "12", "nanos": 340_000_000}, "12.34"),
     ({"currencyCode": "USD", "nanos": 5_000_000}, "0.005"),
     ({"currencyCode": "EUR", "units": "12"}, None)],
)  # fmt: skip
def test_the_vendors_own_price(cost: Any, usd: str | None) -> None:
    name = "accounts/acme/supervisedFineTuningJobs/ftb-1"
    found = wire.job({"name": name, "estimatedCost": cost}).estimated_usd
    assert found == (None if usd is None else Decimal(usd))


def test_a_finished_job(provider: Provider, recorder: Recorder) -> None:
    done = {
        "name": "accounts/acme/supervisedFineTuningJobs/ftb-1", "state": "JOB_STATE_COMPLETED",
        "dataset": "d", "outputModel": "accounts/acme/models/ftb-1", "epochs": 2,
        "jobProgress": {"percent": 100, "inputTokens": 1234},
        "createTime": "2026-11-25T10:00:00Z", "completedTime": "2026-11-25T10:30:00Z",
    }  # fmt: skip
    recorder.plan.append((200, done))
    seen = provider.get(done["name"])
    assert (seen.progress, seen.trained_tokens, seen.n_epochs) == (1.0, 1234, 2)
    assert seen.finished_at == "2026-11-25T10:30:00Z"


@pytest.mark.parametrize(
    ("seconds", "billed"), [({}, None), ({"H100": "90"}, 90), ({"H100": "90", "H200": "5"}, None)]
)
def test_seconds_of_a_reinforcement_job(seconds: dict[str, str], billed: int | None) -> None:
    name = "accounts/acme/reinforcementFineTuningJobs/ftb-1"
    seen = wire.job({"name": name, "state": "JOB_STATE_COMPLETED", "acceleratorSeconds": seconds})
    assert seen.billed_seconds == billed
    assert seen.details == ({"accelerator_seconds": seconds} if seconds else {})


def test_a_taken_id_is_our_own_job(provider: Provider, recorder: Recorder) -> None:
    taken = (409, {"code": 6, "message": "already exists"})
    recorder.plan.append(taken)
    request = provider.request(spec(), DATASET, None, "ftb-1")
    assert provider.create(request, "ftb-1").id.endswith("/ftb-1")
    assert [sent.method for sent in recorder.seen] == ["POST", "GET"]
    recorder.plan += [taken, *[(404, {"code": 5, "message": "no"})] * 3]
    with pytest.raises(VendorError) as caught:  # another name is taken: that of the model
        provider.create(request, "ftb-1")
    assert caught.value.status == 409 and not caught.value.transient


def test_chat_goes_where_inference_lives(provider: Provider, recorder: Recorder) -> None:
    message = {"role": "assistant", "content": "yes"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    reply = {"id": "c", "object": "chat.completion", "model": "m", "created": 1,
             "choices": [choice], "usage": usage}  # fmt: skip
    recorder.plan.append((200, reply))
    asked = ChatRequest([{"role": "user", "content": "is it?"}], seed=7)
    made = provider.chat("accounts/acme/models/m", asked)
    assert (made.text, made.prompt_tokens, made.completion_tokens) == ("yes", 3, 1)
    sent = recorder.seen[0]
    assert sent.path == "/inference/v1/chat/completions"
    assert sent.body["model"] == "accounts/acme/models/m" and sent.body["seed"] == 7


def test_addresses_at_the_vendor(recorder: Recorder) -> None:
    """The SDK adds ``/inference`` by itself only where it is given no address at all."""
    provider = Provider(Context(Path(), {}))
    assert str(provider._client.base_url) == "https://api.fireworks.ai"
    assert str(provider._chats.base_url) == "https://api.fireworks.ai/inference/"
    assert provider._client.max_retries == provider._chats.max_retries == 0
