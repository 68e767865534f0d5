"""Each method of OpenAI from the plan to the tuned model, by the real SDK against the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from emulated import Account, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.errors import DataError, UsageError
from ftbridge.jobs.states import State

RL = {"provider": "openai", "method": "rl"}


@pytest.fixture
def bridge(vendor: Account, closed_world: Path) -> Iterator[ftbridge.Bridge]:
    made = ftbridge.Bridge()
    yield made
    made.ledger.close()


def sent(vendor: Account) -> dict[str, object]:
    """The body of the last create."""
    creates = [r for r in vendor.store.requests
               if r.method == "POST" and r.path.endswith("/jobs")]  # fmt: skip
    assert creates[-1].status == 200
    body: dict[str, object] = creates[-1].body
    return body


def test_dpo_to_the_end(bridge: ftbridge.Bridge, vendor: Account, pairs: Path) -> None:
    plan = bridge.plan(pairs, provider="openai", method="dpo", beta=0.3, n_epochs=2)
    million = Decimal(plan.tokens.billed_high) / 1_000_000
    assert plan.usd.high == (million * 5).quantize(Decimal("0.000001"))  # 4.1-mini's one rate
    job = bridge.submit(plan)
    assert job.wait().state is State.SUCCEEDED
    assert sent(vendor)["method"] == {
        "type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3, "n_epochs": 2}},
    }  # fmt: skip
    reply = job.tuned().chat([{"role": "user", "content": "what is 4 + 4?"}])
    assert reply.text == "8"


def test_rl_to_the_end(
    bridge: ftbridge.Bridge, vendor: Account, rewards: Path, grader: Path
) -> None:
    plan = bridge.plan(
        rewards, **RL, grader=grader, allow_unknown_cost=True, n_epochs=1, batch_size=4,
        options={"reasoning_effort": "low", "eval_interval": "2", "compute_multiplier": "0.5"},
    )  # fmt: skip
    assert plan.spec.model == "o4-mini-2025-04-16"
    assert (plan.usd.high, plan.usd.unknown) == (None, ("training",))
    assert any("by the hour" in warning for warning in plan.warnings)
    job = bridge.submit(plan)
    assert job.wait().state is State.SUCCEEDED
    assert sent(vendor)["method"] == {
        "type": "reinforcement",
        "reinforcement": {
            "hyperparameters": {
                "n_epochs": 1, "batch_size": 4, "compute_multiplier": 0.5, "eval_interval": 2,
                "reasoning_effort": "low",
            },
            "grader": json.loads(grader.read_text()),
        },
    }  # fmt: skip
    assert any(metric.name == "train_reward_mean" for metric in job.metrics())
    # A reasoning model takes no temperature; the emulator would refuse one.
    assert job.tuned().chat([{"role": "user", "content": "what is 4 + 4?"}]).text == "8"


def test_rl_without_a_known_cost_needs_consent(
    bridge: ftbridge.Bridge, rewards: Path, grader: Path
) -> None:
    plan = bridge.plan(rewards, **RL, grader=grader)
    assert not any("n_epochs" in warning for warning in plan.warnings)  # not billed by them
    assert plan.refusal and plan.refusal.code == "unknown_cost"
    judge = {"type": "score_model", "name": "j", "model": "gpt-4.1-mini",
             "input": [{"role": "user", "content": "{{sample.output_text}}"}]}  # fmt: skip
    assert bridge.plan(rewards, **RL, grader=judge).usd.unknown == ("training", "grader")


def test_a_grader_is_asked_for(bridge: ftbridge.Bridge, rewards: Path, grader: Path) -> None:
    with pytest.raises(UsageError) as caught:
        bridge.plan(rewards, **RL)
    assert caught.value.code == "missing_grader" and "--grader FILE" in caught.value.hint
    excluded = bridge.compare(rewards, method="rl").excluded
    assert any(x.provider == "openai" and "needs a grader" in x.reason for x in excluded)
    found = bridge.compare(rewards, method="rl", grader=grader)
    assert ("openai", "o4-mini-2025-04-16") in {(o.provider, o.model) for o in found.offers}


def test_data_that_the_grader_cannot_read(
    bridge: ftbridge.Bridge, rewards: Path, grader: Path, tmp_path: Path
) -> None:
    """The vendor would say so in the middle of a training that it bills."""
    bad = tmp_path / "bad.jsonl"
    lines = rewards.read_text().splitlines()
    lines[4] = lines[4].replace('"reference"', '"answer"')
    bad.write_text("\n".join(lines) + "\n")
    for data, validation in ((bad, None), (rewards, bad)):
        with pytest.raises(DataError) as caught:
            bridge.plan(data, **RL, grader=grader, validation=validation)
        assert f"{bad}:5: has no `item.reference`" in caught.value.message
        assert caught.value.code == "ungraded" and "1 more" not in caught.value.message
    deep = {**json.loads(grader.read_text()), "input": "{{ item.meta.tags[1] }}"}
    with pytest.raises(DataError, match=r"item\.meta\.tags\[1\]"):
        bridge.plan(rewards, **RL, grader=deep)


def test_reinforcement_ended_at_the_vendor(
    bridge: ftbridge.Bridge, rewards: Path, grader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    for day, code in (("2026-10-22", "unknown_cost"), ("2026-10-24", "closed")):
        monkeypatch.setenv("FTBRIDGE_NOW", day)
        plan = bridge.plan(rewards, **RL, grader=grader)
        assert plan.refusal and plan.refusal.code == code


def test_paused_and_resumed(bridge: ftbridge.Bridge, vendor: Account, tmp_path: Path) -> None:
    vendor.reset(speed=1)
    job = bridge.submit(bridge.plan(write_chats(tmp_path / "t.jsonl"), provider="openai"))
    vendor.ahead = 10
    job.refresh()
    assert job.pause().refresh().job.state is State.PAUSED
    vendor.ahead = 1000
    assert job.refresh().job.state is State.PAUSED
    assert job.resume().refresh().job.state is State.QUEUED
    vendor.ahead = 2000
    assert job.refresh().job.state is State.SUCCEEDED


def test_checkpoints_answer(
    bridge: ftbridge.Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_chats(tmp_path / "t.jsonl")
    job = bridge.submit(bridge.plan(data, provider="openai", n_epochs=3))
    job.wait()
    points = job.checkpoints()
    assert [point.step for point in points] == sorted(point.step for point in points)
    capsys.readouterr()
    assert run(["checkpoints", job.id, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["checkpoints"]
    assert [row["model"] for row in shown] == [point.model for point in points]
    assert len(points) == 3 and len({point.step for point in points}) == 3
    assert {point.model for point in points} >= {job.tuned().name}
    for point in points:
        model = bridge.model(f"openai:{point.model}")
        assert model.chat([{"role": "user", "content": "t 3"}]).text == "yes"


def test_weights_and_biases(bridge: ftbridge.Bridge, vendor: Account, tmp_path: Path) -> None:
    data = write_chats(tmp_path / "t.jsonl")
    options = {"wandb_project": "support", "wandb_tags": "blue, june", "wandb_entity": "team"}
    bridge.submit(bridge.plan(data, provider="openai", options=options))
    run = {"project": "support", "entity": "team", "tags": ["blue", "june"]}
    assert sent(vendor)["integrations"] == [{"type": "wandb", "wandb": run}]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"wandb_name": "x"}, "wandb_project"),
        ({"eval_interval": "2"}, "eval_interval"),  # of another method
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"batch": "2"}, "option"),
    ],
)
def test_bad_options(
    bridge: ftbridge.Bridge, tmp_path: Path, options: dict[str, str], where: str
) -> None:
    with pytest.raises(UsageError) as caught:
        bridge.plan(write_chats(tmp_path / "t.jsonl"), provider="openai", options=options)
    assert caught.value.where == where and caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [("eval_interval", "0"), ("eval_samples", "x"), ("compute_multiplier", "11"),
     ("compute_multiplier", "nan"), ("reasoning_effort", "most")],
)  # fmt: skip
def test_bad_values_of_reinforcement(
    bridge: ftbridge.Bridge, rewards: Path, grader: Path, name: str, value: str
) -> None:
    with pytest.raises(UsageError) as caught:
        bridge.plan(rewards, **RL, grader=grader, options={name: value})
    assert caught.value.where == name


def test_by_the_command_line(
    vendor: Account, rewards: Path, grader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(rewards), "--provider", "openai", "--method", "rl", "--json"]
    assert run(["plan", *asked]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "missing_grader"
    assert run(["plan", *asked, "--grader", str(grader)]) == 5
    shown = json.loads(capsys.readouterr().out)["payload"]["method"]["reinforcement"]["grader"]
    assert shown == json.loads(grader.read_text())
    allowed = ["--allow-unknown-cost", "--yes", "--watch"]
    assert run(["submit", *asked, "--grader", str(grader), *allowed]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "succeeded"
    assert run(["compare", str(rewards), "--method", "rl", "--grader", str(grader), "--json"]) == 0
    assert run(["plan", str(rewards), "--provider", "openai", "--grader", str(grader)]) == 2
