"""Models, deployments and access: the real SDK against the emulator."""

from __future__ import annotations

import json
from typing import Any

import fireworks
import httpx
import pytest
from fireworks_world import BASE, World, code


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
