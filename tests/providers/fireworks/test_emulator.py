"""The real SDK (``fireworks-ai``) against the emulator over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import fireworks
import httpx
import pytest
from fireworks import Fireworks
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from ftbridge.testing.server import serve
from ftbridge_fireworks.emulator import Store, create_app

START = 1_800_000_000.0
BASE = "accounts/fireworks/models/llama-v3p1-8b-instruct"
STATES = ("CREATING", "VALIDATING", "PENDING", "RUNNING", "WRITING_RESULTS", "COMPLETED")
EMPTY: dict[str, Any] = {}


def chat_row(number: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": f"please translate the word number{number}"},
            {"role": "assistant", "content": f"word {number}"},
        ]
    }


def preference_row(number: int) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": f"question number{number}"}]},
        "preferred_output": [{"role": "assistant", "content": f"good {number}"}],
        "non_preferred_output": [{"role": "assistant", "content": f"bad {number}"}],
    }


@dataclass
class World:
    """One emulated account, its SDK client, and its clock."""

    app: Starlette
    url: str
    now: float = START
    clients: list[Fireworks] = field(default_factory=list)

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    @property
    def client(self) -> Fireworks:
        return self.clients[0] if self.clients else self.connect()

    def connect(self, key: str = "fw_sandbox", account: str = "sandbox") -> Fireworks:
        made = Fireworks(api_key=key, account_id=account, base_url=self.url, max_retries=0)
        self.clients.append(made)
        return made

    def dataset(self, rows: list[Any] | bytes, name: str = "data") -> str:
        content = rows if isinstance(rows, bytes) else "\n".join(map(json.dumps, rows)).encode()
        settings: Any = {"user_uploaded": {}, "example_count": "12", "format": "CHAT"}
        self.client.datasets.create(dataset_id=name, dataset=settings)
        self.client.datasets.upload(name, file=("train.jsonl", content))
        self.now += 1
        return f"accounts/sandbox/datasets/{name}"

    def sft(self, job_id: str = "job-1", **changes: Any) -> Any:
        asked: dict[str, Any] = {"base_model": BASE, **changes}
        if "dataset" not in asked:
            asked["dataset"] = self.dataset([chat_row(n) for n in range(12)], f"data-{job_id}")
        return self.client.supervised_fine_tuning_jobs.create(
            supervised_fine_tuning_job_id=job_id, **asked
        )

    def get(self, job_id: str = "job-1") -> Any:
        return self.client.supervised_fine_tuning_jobs.get(job_id)

    def deployed(self) -> str:
        """A finished job's model, loaded into a deployment that is ready."""
        self.sft()
        self.now += 20
        self.client.deployments.create(base_model=BASE, deployment_id="dep", enable_addons=True)
        self.now += 5
        self.client.lora.load(
            model="accounts/sandbox/models/job-1", deployment="accounts/sandbox/deployments/dep"
        )
        return "accounts/sandbox/models/job-1"

    def ask(self, model: str, text: str) -> str:
        told = self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}]
        )
        return str(told.choices[0].message.content)


class Switch:
    """One server for all tests; each test puts its own app behind it."""

    def __init__(self) -> None:
        self.app = create_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def switch() -> Iterator[tuple[Switch, str]]:
    made = Switch()
    with serve(made) as url:
        yield made, url


@pytest.fixture
def world(switch: tuple[Switch, str]) -> Iterator[World]:
    server, url = switch
    made: World = World(create_app(clock=lambda: made.now), url)
    server.app = made.app
    yield made
    for client in made.clients:
        client.close()


def code(caught: pytest.ExceptionInfo[Any]) -> int:
    return int(caught.value.body["code"])


def test_a_dataset_is_ready_a_while_after_its_upload(world: World) -> None:
    settings: Any = {"user_uploaded": {}, "example_count": "1"}
    world.client.datasets.create(dataset_id="data", dataset=settings)
    world.client.datasets.upload("data", file=("a.jsonl", b"x" * 41))
    assert world.client.datasets.get("data").state == "UPLOADING"
    world.now += 1
    ready = world.client.datasets.get("data")
    assert (ready.state, ready.estimated_token_count, ready.example_count) == ("READY", "11", "1")
    with pytest.raises(fireworks.ConflictError) as caught:
        world.client.datasets.create(dataset_id="data", dataset=settings)
    assert code(caught) == 6
    world.client.datasets.delete("data")
    with pytest.raises(fireworks.NotFoundError):
        world.client.datasets.get("data")


def test_signed_urls_carry_shards_and_want_the_size_that_was_signed(world: World) -> None:
    settings: Any = {"user_uploaded": {}}
    world.client.datasets.create(dataset_id="data", dataset=settings)
    shards = {f"{name}.jsonl": f'{{"{name}": 1}}'.encode() for name in "ab"}
    sizes = {name: str(len(content)) for name, content in shards.items()}
    answer = world.client.datasets.get_upload_endpoint("data", filename_to_size=sizes)
    urls = answer.filename_to_signed_urls or {}
    assert httpx.put(urls["a.jsonl"], content=b"too short").status_code == 400
    with pytest.raises(fireworks.BadRequestError) as caught:
        world.client.datasets.validate_upload("data", body=EMPTY)
    assert code(caught) == 9
    for name, content in shards.items():
        assert httpx.put(urls[name], content=content).status_code == 200
    world.client.datasets.validate_upload("data", body=EMPTY)
    world.now += 1
    assert world.client.datasets.get("data").state == "READY"
    down = world.client.datasets.get_download_endpoint("data").filename_to_signed_urls or {}
    assert httpx.get(down["b.jsonl"]).content == shards["b.jsonl"]


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
    "rank too large": {"lora_rank": 128},
    "rate of zero": {"learning_rate": 0},
    "both starts": {"warm_start_from": "accounts/sandbox/models/other"},
    "region": {"region": "MARS_1"},
    "short dataset name": {"dataset": "data"},
    "unknown query": {"extra_query": {"validateOnly": "true"}},
    "purpose": {"use_purpose": "fun"},
    "untunable": {"base_model": "accounts/fireworks/models/kimi-k2-instruct-0905"},
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


SYSTEM = {"role": "system", "content": "x"}
BAD_DATA: dict[str, list[Any] | bytes] = {
    "not json": b"{\n{\n{",
    "two examples": [chat_row(0), chat_row(1)],
    "unknown key": [{**chat_row(0), "label": 1}] * 3,
    "no assistant": [{"messages": [SYSTEM, {"role": "user", "content": "x"}]}] * 3,
    "late system": [{"messages": [*chat_row(0)["messages"], SYSTEM]}] * 3,
    "role": [{"messages": [{"role": "bot", "content": "x"}]}] * 3,
    "weight": [{"messages": [{"role": "assistant", "content": "x", "weight": 2}]}] * 3,
    "preference data": [preference_row(n) for n in range(3)],
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_fails_while_the_job_validates(world: World, case: str) -> None:
    world.sft(dataset=world.dataset(BAD_DATA[case]))
    assert world.get().state == "JOB_STATE_CREATING"
    world.now += 3
    failed = world.get()
    assert (failed.state, failed.status.code) == ("JOB_STATE_FAILED", "INVALID_ARGUMENT")
    assert failed.completed_time.timestamp() == failed.create_time.timestamp() + 3


def test_a_preference_needs_one_answer_a_side(world: World) -> None:
    row = preference_row(0)
    row["preferred_output"] = row["preferred_output"] * 2
    data = world.dataset([row] * 3)
    world.client.dpo_jobs.create(dataset=data, dpo_job_id="p", training_config={"base_model": BASE})
    world.now += 3
    assert world.client.dpo_jobs.get("p").state == "JOB_STATE_FAILED"


def test_a_dataset_that_is_missing_or_not_ready_is_refused(world: World) -> None:
    with pytest.raises(fireworks.NotFoundError):
        world.sft(dataset="accounts/sandbox/datasets/none")
    settings: Any = {"user_uploaded": {}}
    world.client.datasets.create(dataset_id="late", dataset=settings)
    with pytest.raises(fireworks.BadRequestError) as caught:
        world.sft(dataset="accounts/sandbox/datasets/late")
    assert code(caught) == 9


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


def test_a_tuned_model_answers_only_while_it_is_deployed(world: World) -> None:
    model = world.deployed()
    with pytest.raises(fireworks.NotFoundError):
        world.ask(model, "please translate the word number7")
    world.now += 2
    assert world.ask(model, "please translate the word number7") == "word 7"
    target = f"{model}#accounts/sandbox/deployments/dep"
    assert world.ask(target, "please translate the word number3") == "word 3"
    stream = world.client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "number5"}], stream=True
    )
    assert "".join(part.choices[0].delta.content or "" for part in stream) == "word 5"
    loaded = next(iter(world.client.lora.list()))
    assert loaded.state == "DEPLOYED" and loaded.name is not None
    with pytest.raises(fireworks.BadRequestError):
        world.client.deployments.delete("dep")
    world.client.lora.unload(loaded.name.rpartition("/")[2])
    with pytest.raises(fireworks.NotFoundError):
        world.ask(model, "x")
    world.client.deployments.delete("dep")
    assert world.client.deployments.get("dep").state == "DELETING"
    world.now += 1
    assert list(world.client.deployments.list()) == []
    assert [each.state for each in world.client.deployments.list(show_deleted=True)] == ["DELETED"]


def test_an_addon_wants_a_ready_deployment_of_its_own_base(world: World) -> None:
    world.sft()
    world.now += 20
    load: dict[str, Any] = {"model": "accounts/sandbox/models/job-1"}
    deployments = world.client.deployments
    deployments.create(base_model=BASE, deployment_id="plain")
    other = "accounts/fireworks/models/qwen3-8b"
    deployments.create(base_model=other, deployment_id="other", enable_addons=True)
    for name, expected in (("plain", 9), ("other", 9)):
        with pytest.raises(fireworks.BadRequestError) as caught:
            world.client.lora.load(**load, deployment=f"accounts/sandbox/deployments/{name}")
        assert code(caught) == expected
    world.now += 5
    for name, expected in (("plain", 9), ("other", 3)):
        with pytest.raises(fireworks.BadRequestError) as caught:
            world.client.lora.load(**load, deployment=f"accounts/sandbox/deployments/{name}")
        assert code(caught) == expected


def test_a_tuned_model_can_be_deployed_as_a_base_of_its_own(world: World) -> None:
    world.sft()
    world.now += 20
    model = "accounts/sandbox/models/job-1"
    world.client.deployments.create(
        base_model=model, deployment_id="merged", deployment_shape="default"
    )
    world.now += 5
    assert world.ask(model, "please translate the word number2") == "word 2"


def test_weights_can_be_taken_home(world: World) -> None:
    world.sft(lora_rank=16, output_model="mine")
    with pytest.raises(fireworks.NotFoundError):
        world.client.models.get("mine")
    world.now += 20
    model = world.client.models.get("mine")
    assert (model.kind, model.state) == ("HF_PEFT_ADDON", "READY")
    assert model.peft_details is not None and model.peft_details.r == 16
    urls = world.client.models.get_download_endpoint("mine").filename_to_signed_urls or {}
    assert json.loads(httpx.get(urls["adapter_config.json"]).content)["r"] == 16
    assert set(urls) == {"adapter_config.json", "adapter_model.safetensors"}
    world.client.models.delete("mine")
    with pytest.raises(fireworks.NotFoundError):
        world.client.models.get("mine")


def test_keys_and_accounts_are_checked(world: World) -> None:
    base = world.client.models.get("llama-v3p1-8b-instruct", account_id="fireworks")
    assert (base.tunable, base.supports_lora) == (True, True)
    with pytest.raises(fireworks.AuthenticationError) as caught:
        world.connect(key="fw_wrong").datasets.get("x")
    assert code(caught) == 16
    with pytest.raises(fireworks.PermissionDeniedError) as denied:
        world.connect(account="other").datasets.get("x")
    assert code(denied) == 7


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
