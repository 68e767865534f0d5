"""Azure's emulator asked by the real SDK (openai 3.57.0) and, for ARM, by httpx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
from openai import AzureOpenAI, OpenAI

from ftbridge.testing.server import serve
from ftbridge_azure_openai.emulator import AzureStore, create_app

KEY, TOKEN, VERSION = "azure-sandbox-key", "azure-sandbox-token", "2024-10-21"
BASE = "gpt-4o-mini-2024-07-18"
ARM = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/deployments"
)


@dataclass
class World:
    url: str
    store: AzureStore
    now: float

    def classic(self, **credentials: Any) -> AzureOpenAI:
        credentials = credentials or {"api_key": KEY}
        return AzureOpenAI(
            azure_endpoint=self.url, api_version=VERSION, max_retries=0, **credentials
        )

    def arm(self, method: str, name: str = "", **more: Any) -> httpx.Response:
        more = {"params": {"api-version": "2024-10-01"}, **more}
        more = {"headers": {"Authorization": f"Bearer {TOKEN}"}, **more}
        return httpx.request(method, f"{self.url}{ARM}{name}", **more)


@pytest.fixture
def world() -> Iterator[World]:
    made = World("", AzureStore(), 1_800_000_000.0)
    app = create_app(clock=lambda: made.now)
    made.store = app.state.store
    with serve(app) as made.url:
        yield made


def rows(method: str = "supervised") -> bytes:
    chat = [{"role": "user", "content": "say hello"}, {"role": "assistant", "content": "hello"}]
    row: dict[str, Any] = {"messages": chat}
    if method == "reinforcement":
        row = {"messages": chat[:1], "reference": "hello"}
    return b"\n".join([json.dumps(row).encode()] * 10)


def uploaded(world: World, client: OpenAI, method: str = "supervised") -> str:
    made = client.files.create(file=("a.jsonl", rows(method)), purpose="fine-tune")
    assert str(made.status) == "pending"  # a state that the SDK's type lacks
    world.now += 2
    assert client.files.retrieve(made.id).status == "processed"
    return made.id


def put_body(model: str, sku: str = "Standard") -> dict[str, Any]:
    return {
        "sku": {"name": sku, "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
    }


def test_a_whole_life_in_the_classic_form(world: World) -> None:
    with world.classic() as client:
        file = uploaded(world, client)
        job = client.fine_tuning.jobs.create(
            model=BASE, training_file=file, suffix="mine", extra_body={"trainingType": "Standard"}
        )
        assert (str(job.status), job.to_dict()["trainingType"]) == ("pending", "Standard")
        world.now += 10
        assert client.fine_tuning.jobs.retrieve(job.id).status == "running"
        world.now += 20
        model = client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model
        assert model and model.startswith(f"{BASE}.ft-") and model.endswith("-mine")
        assert client.fine_tuning.jobs.list_events(job.id).data
        assert len(client.fine_tuning.jobs.checkpoints.list(job.id).data) == 3

        assert world.arm("PUT", "/d", json=put_body(model)).status_code == 201
        with pytest.raises(openai.NotFoundError) as early:
            client.chat.completions.create(model="d", messages=[{"role": "user", "content": "?"}])
        assert early.value.code == "DeploymentNotFound"
        assert world.arm("GET", "/d").json()["properties"]["provisioningState"] == "Creating"
        world.now += 7
        assert world.arm("GET", "/d").json()["properties"]["provisioningState"] == "Succeeded"
        answer = client.chat.completions.create(
            model="d", messages=[{"role": "user", "content": "say hello"}]
        )
        assert answer.choices[0].message.content == "hello"
        with pytest.raises(openai.NotFoundError):  # a model's id is no deployment's name
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}])

        assert world.arm("DELETE", "/d").status_code == 202
        assert world.arm("GET", "/d").json()["properties"]["provisioningState"] == "Deleting"
        world.now += 3
        assert world.arm("GET", "/d").status_code == 404
        assert world.arm("DELETE", "/d").status_code == 204
        client.files.delete(file)
        with pytest.raises(openai.NotFoundError):
            client.files.retrieve(file)


def test_the_v1_form_with_a_plain_client(world: World) -> None:
    with OpenAI(base_url=f"{world.url}/openai/v1/", api_key=KEY, max_retries=0) as client:
        file = uploaded(world, client)
        job = client.fine_tuning.jobs.create(
            model=BASE, training_file=file, extra_body={"trainingType": "developerTier"}
        )
        world.now += 30
        model = client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model
        assert world.arm("PUT", "/v", json=put_body(str(model))).status_code == 201
        world.now += 7
        streamed = client.chat.completions.create(
            model="v", messages=[{"role": "user", "content": "say hello"}], stream=True
        )
        said = "".join(chunk.choices[0].delta.content or "" for chunk in streamed)
        assert said == "hello"
        assert client.files.delete(file).deleted


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"api-key": KEY}, f"/openai/files?api-version={VERSION}", 200),
        ({"Authorization": f"Bearer {TOKEN}"}, f"/openai/files?api-version={VERSION}", 200),
        ({"Authorization": f"Bearer {KEY}"}, f"/openai/files?api-version={VERSION}", 401),
        ({"api-key": "other"}, f"/openai/files?api-version={VERSION}", 401),
        ({}, f"/openai/files?api-version={VERSION}", 401),
        ({"api-key": KEY}, "/openai/files", 404),
        ({"api-key": KEY}, "/openai/files?api-version=new", 404),
        ({"api-key": KEY}, "/openai/v1/files", 200),
        ({"Authorization": f"Bearer {KEY}"}, "/openai/v1/files", 200),
        ({"api-key": KEY}, "/openai/v1/files?api-version=preview", 200),
        ({"api-key": KEY}, "/openai/v1/files?api-version=2024-10-21", 400),
        ({"api-key": KEY}, f"{ARM}?api-version=2024-10-01", 401),
        ({"Authorization": f"Bearer {TOKEN}"}, ARM, 400),
    ],
)
def test_who_may_ask_and_how(world: World, headers: dict[str, str], path: str, status: int) -> None:
    answer = httpx.get(world.url + path, headers=headers)
    assert answer.status_code == status
    assert answer.headers["x-request-id"]


def test_an_entra_token_serves_the_sdk(world: World) -> None:
    with world.classic(azure_ad_token=TOKEN) as client:
        assert client.fine_tuning.jobs.list().data == []
    with world.classic(azure_ad_token="old") as client, pytest.raises(openai.AuthenticationError):
        client.fine_tuning.jobs.list()


@pytest.mark.parametrize(
    "change",
    [
        {"trainingType": "cheap"},
        {"trainingType": 1},
        {"training_type": "Standard"},
        {"suffix": "x" * 19},
        {"model": "gpt-99"},
        {"model": "gpt-5-mini"},
        {"hyperparameters": {"n_epochs": 0}},
        {"method": {"type": "supervised", "supervised": {"hyperparameters": {"beta": 0.1}}}},
    ],
)
def test_what_a_job_may_not_say(world: World, change: dict[str, Any]) -> None:
    with world.classic() as client:
        file = uploaded(world, client)
        body = {"model": BASE, "training_file": file, **change}
        with pytest.raises(openai.BadRequestError):
            client.post("/fine_tuning/jobs", body=body, cast_to=object)
    assert not world.store.jobs


def test_a_file_that_is_still_imported_trains_nothing(world: World) -> None:
    with world.classic() as client:
        file = client.files.create(file=("a.jsonl", rows()), purpose="fine-tune")
        with pytest.raises(openai.BadRequestError) as refused:
            client.fine_tuning.jobs.create(model=BASE, training_file=file.id)
        assert refused.value.code == "invalidPayload"


def test_rft_is_paused_at_the_cap_and_goes_on_when_resumed(world: World) -> None:
    world.store.rft_cap_after = 5
    grader = {
        "type": "string_check",
        "name": "same",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference}}",
        "operation": "eq",
    }
    method: Any = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    with world.classic() as client:
        file = uploaded(world, client, "reinforcement")
        jobs = client.fine_tuning.jobs
        base = "o4-mini-2025-04-16"
        with pytest.raises(openai.BadRequestError, match="validation"):
            jobs.create(model=base, training_file=file, method=method)
        job = jobs.create(model=base, training_file=file, validation_file=file, method=method)
        world.now += 9
        assert jobs.retrieve(job.id).status == "running"
        world.now += 500
        assert str(jobs.retrieve(job.id).status) == "paused"
        jobs.resume(job.id)
        world.now += 60
        assert jobs.retrieve(job.id).status == "succeeded"


def test_states_can_be_forced_and_lists_page(world: World) -> None:
    with world.classic() as client:
        file = uploaded(world, client)
        made = [client.fine_tuning.jobs.create(model=BASE, training_file=file).id for _ in range(5)]
        assert [job.id for job in client.fine_tuning.jobs.list(limit=2)] == made[::-1]
        world.store.force_status(made[0], "creating")
        assert str(client.fine_tuning.jobs.retrieve(made[0]).status) == "creating"
        client.fine_tuning.jobs.cancel(made[1])
        assert client.fine_tuning.jobs.retrieve(made[1]).status == "cancelled"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (put_body(BASE), 201),
        (put_body(BASE, "standard"), 201),
        (put_body(BASE, "Gratis"), 400),
        (put_body("nothing.ft-1"), 400),
        ({**put_body(BASE), "location": "x"}, 400),
        ({"properties": put_body(BASE)["properties"]}, 400),
        ({}, 400),
    ],
)
def test_what_a_deployment_is_put_with(world: World, body: dict[str, Any], status: int) -> None:
    answer = world.arm("PUT", "/d", json=body)
    assert answer.status_code == status
    if status == 400:
        assert set(answer.json()["error"]) == {"code", "message"}
        return
    assert world.arm("PUT", "/d", json=body).status_code == 409  # still being created
    world.now += 7
    assert world.arm("PUT", "/d", json=body).status_code == 200
    assert [each["name"] for each in world.arm("GET").json()["value"]] == ["d"]
