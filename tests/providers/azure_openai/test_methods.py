"""Reinforcement with its cap and paused state, and Foundry's open models, from plan to model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from azure_recorder import connect, spec
from emulated import write_chats
from recording import Recorder

import ftbridge
from ftbridge import registry
from ftbridge.cost.tokens import rule_for
from ftbridge.errors import UsageError
from ftbridge.jobs.states import State
from ftbridge.testing.server import serve
from ftbridge_azure_openai import Provider, settings
from ftbridge_azure_openai.emulator import create_app

CHECK: dict[str, Any] = {
    "type": "string_check", "name": "same", "operation": "eq",
    "input": "{{sample.output_text}}", "reference": "{{item.reference}}",
}  # fmt: skip
OPEN = sorted(settings.GLOBAL_ONLY)


@pytest.fixture
def rewards(tmp_path: Path) -> Path:
    path = tmp_path / "rewards.jsonl"
    rows = [{"messages": [{"role": "user", "content": f"what is {n} + {n}?"}],
             "reference": f"{2 * n}"} for n in range(12)]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Any, ftbridge.Bridge]]:
    app = create_app(speed=100)
    sandbox = Provider.sandbox()
    assert sandbox is not None
    with serve(app) as url:
        quick = {"SETTLE_SECONDS": "0.1", "POLL_SECONDS": "0.05", "PATIENCE_SECONDS": "1"}
        more = {f"FTBRIDGE_AZURE_OPENAI_{name}": value for name, value in quick.items()}
        for name, value in (sandbox.variables(url) | more).items():
            monkeypatch.setenv(name, value)
        bridge = ftbridge.Bridge(tmp_path / "home")
        yield app.state.store, bridge
        bridge.ledger.close()


def reinforced(bridge: ftbridge.Bridge, rewards: Path, **changes: Any) -> Any:
    asked = {"provider": "azure_openai", "method": "rl", "grader": CHECK, "validation": rewards,
             "allow_unknown_cost": True, "options": {"training_type": "global"}}  # fmt: skip
    return bridge.plan(rewards, **(asked | changes))


def test_paused_at_the_cap_and_resumed(world: Any, rewards: Path) -> None:
    store, bridge = world
    store.rft_cap_after = 0.05
    made = reinforced(bridge, rewards, options={"training_type": "global", "eval_samples": "2"})
    assert any("5,000 USD" in warning for warning in made.warnings)
    assert made.usd.unknown == ("training",) and made.usd.high is None
    job = bridge.submit(made)
    for update in bridge.watch([job]):
        if update.job.state is State.PAUSED:
            break
    assert job.refresh().job.raw_state == "paused"
    assert job.resume().wait().state is State.SUCCEEDED
    (kept,) = store.jobs.values()
    assert kept.method["reinforcement"]["grader"] == CHECK
    assert kept.method["reinforcement"]["hyperparameters"] == {"eval_samples": 2}


def test_reinforcement_needs_validation(world: Any, rewards: Path) -> None:
    _, bridge = world
    with pytest.raises(UsageError) as caught:
        reinforced(bridge, rewards, validation=None)
    assert caught.value.where == "validation"


def test_reinforcement_is_priced_by_the_hour_of_the_tier(world: Any, rewards: Path) -> None:
    _, bridge = world
    asked = ("azure_openai", "o4-mini-2025-04-16", "training_hour")
    rows = [bridge.prices.find(*asked, method="rl", tier=tier) for tier in ("global", "developer")]
    assert [row and row.usd for row in rows] == [Decimal("100.0"), Decimal("50.0")]
    assert {line.name for line in reinforced(bridge, rewards).usd.lines} == {"hosting"}


def test_a_metric_that_azure_lacks(world: Any, rewards: Path) -> None:
    _, bridge = world
    cosine = {**CHECK, "type": "text_similarity", "evaluation_metric": "cosine"}
    del cosine["operation"]
    for grader in (
        cosine,
        {"type": "multi", "name": "m", "graders": {"a": cosine}, "calculate_output": "a"},
    ):
        with pytest.raises(UsageError, match="cosine"):
            reinforced(bridge, rewards, grader=grader)


@pytest.mark.parametrize("model", OPEN)
def test_open_models_to_the_end(world: Any, model: str, tmp_path: Path) -> None:
    store, bridge = world
    data = write_chats(tmp_path / "t.jsonl")
    asked = {"provider": "azure_openai", "model": model, "n_epochs": 1, "allow_unknown_cost": True}
    for options in ({}, {"training_type": "developer"}):
        with pytest.raises(UsageError) as caught:
            bridge.plan(data, **asked, options=options)
        assert caught.value.where == "training_type"
    plan = bridge.plan(data, **asked, options={"training_type": "global"})
    assert plan.region == "global"
    priced = model != "Qwen-3-32B"  # no meter of it was found
    assert ("training" in {line.name for line in plan.usd.lines}) is priced
    job = bridge.submit(plan)
    assert job.wait().state is State.SUCCEEDED
    assert list(store.training_types.values()) == ["GlobalStandard"]


def test_each_open_model_has_its_own_tokens() -> None:
    catalogue = Provider.catalogue()
    found = {m: rule_for(catalogue, m) for m in OPEN}
    assert all(rule is not None and rule is not catalogue.tokens for rule in found.values())
    assert {rule.vocabulary for rule in found.values() if rule} == {
        "o200k_base", "mistral_v3", "llama3", "qwen3"
    }  # fmt: skip


def test_families_are_those_of_other_vendors() -> None:
    elsewhere = {
        row.family
        for place in registry.all_providers()
        if place.name != "azure_openai"
        for row in place.catalogue().models
    }
    mine = {row.family for row in Provider.catalogue().models if row.model in OPEN}
    assert mine - {"ministral-3b"} <= elsewhere


def test_the_wire_of_an_open_model(azure: Recorder) -> None:
    asked = spec(model="Llama-3.3-70B-Instruct", options={"training_type": "global"})
    provider = connect()
    provider.create(provider.request(asked, "file-1", None, "ftb-key"), "ftb-key")
    assert azure.seen[0][4]["trainingType"] == "GlobalStandard"
    assert azure.seen[0][4]["model"] == "Llama-3.3-70B-Instruct"
