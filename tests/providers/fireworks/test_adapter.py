"""Whole jobs through the library against the emulator, with the real SDK over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import write_chats
from fireworks_sandbox import Account, account

import ftbridge
from ftbridge.jobs import late_price
from ftbridge.testing.faults import Answers, CutBody, DropAfter, DropBefore, Fault

ASK = [{"role": "user", "content": "train 3"}]


@pytest.fixture(scope="module")
def _served() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def place(_served: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    _served.reset(speed=100)
    quick = {"FTBRIDGE_FIREWORKS_DEPLOY_SECONDS": "20"}
    for name, value in _served.env(tmp_path, **quick).items():
        monkeypatch.setenv(name, value)
    return _served


@pytest.fixture
def bridge(place: Account, tmp_path: Path) -> ftbridge.Bridge:
    return ftbridge.Bridge(tmp_path)


def plan(bridge: ftbridge.Bridge, path: Path, **changes: Any) -> Any:
    return bridge.plan(write_chats(path / "train.jsonl"), provider="fireworks", **changes)


def test_from_plan_to_chat(bridge: ftbridge.Bridge, place: Account, tmp_path: Path) -> None:
    made = plan(bridge, tmp_path, n_epochs=2, suffix="support", max_usd="20")
    assert {line.name for line in made.usd.lines} == {"training", "hosting"}
    assert made.payload["supervised_fine_tuning_job_id"] == made.key
    job = bridge.submit(made)
    job.wait()
    assert job.state == "succeeded" and job.row.billed_tokens and job.metrics()
    assert job.model == f"accounts/sandbox/models/support-{made.key[-8:]}"
    with pytest.raises(ftbridge.FtbridgeError, match="404"):
        job.chat(ASK)
    provider = bridge.provider("fireworks")
    assert provider.deploy(job.model) == provider.deploy(job.model) == job.model
    assert len(place.store.deployments) == 1
    assert job.chat(ASK).text == "yes"
    provider.undeploy(job.model)
    provider.undeploy(job.model)
    assert not place.store.deployments
    assert (job.download(tmp_path / "weights") / "adapter_model.safetensors").exists()
    with pytest.raises(ftbridge.FtbridgeError, match="merged"):
        job.download(tmp_path / "merged", merged=True)
    job.purge()
    assert not place.store.datasets


def test_a_place_on_a_deployment_that_is_up(
    bridge: ftbridge.Bridge, place: Account, tmp_path: Path
) -> None:
    job = bridge.submit(plan(bridge, tmp_path))
    job.wait()
    provider = bridge.provider("fireworks", {"deployment": "shared"})
    provider._client.deployments.create(  # type: ignore[attr-defined]
        base_model=job.row.model, deployment_id="shared", enable_addons=True
    )
    place.ahead += 10
    name = provider.deploy(str(job.model))
    assert name == f"{job.model}#accounts/sandbox/deployments/shared"
    assert provider.deploy(str(job.model)) == name and len(place.store.addons) == 1
    asked = ftbridge.provider.ChatRequest(ASK)
    assert provider.chat(str(job.model), asked).text == provider.chat(name, asked).text == "yes"
    provider.undeploy(str(job.model))
    provider.undeploy(str(job.model))
    assert not place.store.addons and place.store.deployments


def test_a_preference_and_a_reward_job(
    bridge: ftbridge.Bridge, place: Account, tmp_path: Path
) -> None:
    prompt = [{"role": "user", "content": "which?"}]
    said = {side: [{"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
    pairs, rewards = tmp_path / "pairs.jsonl", tmp_path / "rewards.jsonl"
    pairs.write_text("".join(json.dumps({"prompt": prompt, **said}) + "\n" for _ in range(12)))
    rows = ({"messages": prompt, "reference": f"number {n}"} for n in range(12))
    rewards.write_text("".join(json.dumps(row) + "\n" for row in rows))
    dpo = bridge.plan(pairs, provider="fireworks", method="dpo", beta=0.2)
    rl = bridge.plan(rewards, provider="fireworks", method="rl", options={"evaluator": "sandbox"})
    assert dpo.allowed and rl.allowed
    for made in (dpo, rl):
        job = bridge.submit(made)
        job.wait()
        assert job.state == "succeeded" and job.model
    assert {kind for kind, _ in place.store.jobs} == {"dpoJobs", "reinforcementFineTuningJobs"}


def test_a_dear_job_is_cancelled_at_the_vendor(
    bridge: ftbridge.Bridge, place: Account, tmp_path: Path
) -> None:
    place.reset(speed=1)
    place.store.usd_per_million = 1_000_000.0
    made = plan(bridge, tmp_path, max_usd="50", options={"hosting_hours": "1"})
    assert made.allowed
    with pytest.raises(ftbridge.FtbridgeError) as caught:
        bridge.submit(made)
    assert (caught.value.exit_code, caught.value.code) == (5, late_price.CODE)
    (remote,) = place.store.jobs.values()
    assert remote.cancelled_at is not None
    (job,) = bridge.jobs()
    assert job.row.error and job.row.error["code"] == late_price.CODE
    place.ahead += 5
    job.refresh()
    assert job.state == "cancelled" and job.row.error["code"] == late_price.CODE
    with pytest.raises(ftbridge.FtbridgeError, match="the limit is 50"):
        job.wait()


def test_a_price_that_comes_late_is_held_by_a_look(
    bridge: ftbridge.Bridge, place: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.reset(speed=1)
    job = bridge.submit(plan(bridge, tmp_path, max_usd="50"))
    place.store.usd_per_million = 1_000_000.0
    job.refresh()
    assert job.row.stopping and job.row.error and job.row.error["code"] == late_price.CODE


LOST: dict[str, tuple[str, Fault]] = {
    "create before": (r"FineTuningJobs$", DropBefore()),
    "create after": (r"FineTuningJobs$", DropAfter()),
    "create cut": (r"FineTuningJobs$", CutBody()),
    "create half": (r"FineTuningJobs$", CutBody(clean=True)),
    "create 500 delivered": (r"FineTuningJobs$", Answers(500, delivered=True)),
    "create 503": (r"FineTuningJobs$", Answers(503, 0.05)),
    "create 429": (r"FineTuningJobs$", Answers(429, 0.05)),
    "create html": (r"FineTuningJobs$", Answers(200, body=b"<html>proxy</html>")),
    "record after": (r"/datasets$", DropAfter()),
    "record before": (r"/datasets$", DropBefore()),
    "bytes after": (r":upload$", DropAfter()),
    "bytes before": (r":upload$", DropBefore()),
    "bytes 503": (r":upload$", Answers(503, 0.05)),
}


@pytest.mark.parametrize("case", LOST)
def test_what_is_lost_is_not_made_twice(
    bridge: ftbridge.Bridge, place: Account, tmp_path: Path, case: str
) -> None:
    path, fault = LOST[case]
    rule = place.injector.on("POST", path, fault)
    job = bridge.submit(plan(bridge, tmp_path))
    job.wait()
    assert rule.done and job.state == "succeeded"
    assert len(place.store.jobs) == 1 and len(place.store.datasets) == 1
