"""Deployments and deleted models: written down first, on the bill until their end is sure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from emulated import Account, Switch, write_chats

import ftbridge
from ftbridge.cli import run
from ftbridge.testing.faults import Answers, Delay, Does, DropAfter, DropBefore
from ftbridge.testing.proxy import Injector
from ftbridge.testing.server import serve
from ftbridge_azure_openai import Provider as Azure
from ftbridge_azure_openai.emulator import create_app

DEPLOYMENTS = r"/deployments/[^/]+$"
TODAY = "2026-11-25T12:00:00Z"


@pytest.fixture(scope="module")
def azure() -> Iterator[tuple[Switch, Injector, str]]:
    switch = Switch(create_app())
    with ExitStack() as stack:
        injector = Injector(stack.enter_context(serve(switch)))
        yield switch, injector, stack.enter_context(injector.serve())


class World:
    """An emulated Azure account with one tuned model."""

    def __init__(self, switch: Switch, injector: Injector, bridge: ftbridge.Bridge) -> None:
        self.switch, self.injector, self.bridge = switch, injector, bridge
        self.job = ""

    @property
    def deployed(self) -> list[str]:
        """The vendor's deployments that are not deleted."""
        found = self.switch.app.state.store.deployments.values()
        return [each.name for each in found if each.deleted is None]

    @property
    def row(self) -> dict[str, Any]:
        """The one deployment that the ledger takes for not ended."""
        (row,) = self.bridge.job(self.job).to_dict()["deployments"]
        return dict(row)


@pytest.fixture
def world(
    azure: tuple[Switch, Injector, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[World]:
    switch, injector, url = azure
    switch.app = create_app(speed=1000)
    injector.heal()
    sandbox = Azure.sandbox()
    assert sandbox is not None
    quick = {"SETTLE_SECONDS": "0.1", "POLL_SECONDS": "0.02", "PATIENCE_SECONDS": "1"}
    more = {f"FTBRIDGE_AZURE_OPENAI_{name}": value for name, value in quick.items()}
    for name, value in (sandbox.variables(url) | more).items():
        monkeypatch.setenv(name, value)
    made = World(switch, injector, ftbridge.Bridge())
    plan = made.bridge.plan(write_chats(tmp_path / "train.jsonl"), provider="azure_openai")
    made.job = made.bridge.submit(plan).wait(0.02).id
    yield made
    made.bridge.ledger.close()


Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(*args: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = run([*args, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return asked


def test_shown_confirmed_deployed_and_stopped(
    world: World, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = ask("deploy", world.job)
    assert (code, said["error"]["where"]) == (2, "--yes")
    assert "1.70 USD" in said["error"]["message"] and world.deployed == []
    code, said = ask("deploy", world.job, "--yes")
    assert (code, said["state"], said["usd_per_hour"], said["job"]) == (
        0,
        "running",
        1.7,
        world.job,
    )
    assert world.deployed == [said["name"]]
    for command in ("status", "jobs"):
        shown = ask(*([command, world.job] if command == "status" else [command]))[1]
        job = shown if command == "status" else shown["jobs"][0]
        assert [(d["state"], d["usd_per_hour"]) for d in job["deployments"]] == [("running", 1.7)]
    for command in (["status", world.job], ["jobs"]):
        capsys.readouterr()
        assert run(command) == 0
        assert "running, 1.70 USD/h" in capsys.readouterr().out
    assert ask("chat", world.job, "train 3")[1]["text"] == "yes"
    code, said = ask("undeploy", world.job)
    assert (code, said["deployment"]["state"]) == (0, "ended")
    assert world.deployed == [] and ask("status", world.job)[1]["deployments"] == []
    assert ask("undeploy", world.job) == (0, {"undeployed": world.job, "deployment": None})


def test_twice_is_once(world: World) -> None:
    first = world.bridge.deploy(world.job)
    assert world.bridge.deploy(world.job) == first and len(world.deployed) == 1
    model = f"azure_openai:{world.bridge.job(world.job).model}"
    assert world.bridge.deploy(model) == first, "the same model by its name"
    ended = world.bridge.undeploy(model)
    assert ended and ended.job_id == world.job and world.deployed == []
    assert world.bridge.deploy(world.job).id != first.id


def test_what_ended_at_the_vendor_is_made_again(world: World) -> None:
    world.bridge.deploy(world.job)
    world.bridge.provider("azure_openai").undeploy(str(world.bridge.job(world.job).model))
    assert world.deployed == [] and world.row["state"] == "running", "nobody has told us"
    world.bridge.deploy(world.job)
    assert len(world.deployed) == 1 and world.row["state"] == "running"


def test_another_price_is_another_row(world: World) -> None:
    first = world.bridge.deploy(world.job)
    free = world.bridge.deploy(world.job, options={"deployment_type": "developer"})
    assert free.id != first.id and world.row["usd_per_hour"] == 0
    assert len(world.deployed) == 1
    world.injector.on("PUT", DEPLOYMENTS, Answers(403))
    with pytest.raises(ftbridge.VendorError):
        world.bridge.deploy(world.job)
    assert world.row["state"] == "uncertain", "the one before may run on"


def test_its_cost_so_far(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_NOW", TODAY)
    world.bridge.deploy(world.job)
    monkeypatch.setenv("FTBRIDGE_NOW", "2026-11-26T12:00:00Z")
    assert world.row["usd_so_far"] == pytest.approx(24 * 1.7)


def test_a_free_one_needs_no_yes(world: World, ask: Ask) -> None:
    code, said = ask("deploy", world.job, "--option", "deployment_type=developer")
    assert (code, said["usd_per_hour"]) == (0, 0)


def test_an_unknown_price_is_refused_unless_allowed(
    world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FTBRIDGE_AZURE_OPENAI_REGION", "nowhere")
    code, said = ask("deploy", world.job, "--yes")
    assert (code, said["error"]["code"]) == (5, "unknown_cost")
    assert world.deployed == [] and world.bridge.job(world.job).to_dict()["deployments"] == []
    code, said = ask("deploy", world.job, "--yes", "--allow-unknown-cost")
    assert (code, said["usd_per_hour"], said["usd_so_far"]) == (0, None, None)


def test_a_refusal_leaves_nothing_behind(world: World) -> None:
    world.injector.on("PUT", DEPLOYMENTS, Answers(403))
    with pytest.raises(ftbridge.VendorError):
        world.bridge.deploy(world.job)
    assert world.bridge.job(world.job).to_dict()["deployments"] == []
    assert world.bridge.deploy(world.job).state == "running"


@pytest.mark.parametrize("fault", [DropAfter(), DropBefore(), Answers(500, delivered=True)])
def test_a_lost_answer_is_uncertain_until_it_is_asked_again(world: World, fault: Any) -> None:
    world.injector.on("PUT", DEPLOYMENTS, fault)
    with pytest.raises(ftbridge.ProviderError) as lost:
        world.bridge.deploy(world.job)
    assert f"ftbridge undeploy {world.job}" in lost.value.hint
    assert world.row["state"] == "uncertain"
    assert world.bridge.deploy(world.job).state == "running"
    assert len(world.deployed) == 1
    world.bridge.undeploy(world.job)
    assert world.deployed == []


def test_one_that_is_still_being_made_is_waited_for(world: World) -> None:
    world.injector.on("PUT", DEPLOYMENTS, DropAfter())
    conflict = world.injector.on("PUT", DEPLOYMENTS, Answers(409))
    with pytest.raises(ftbridge.NetworkError):
        world.bridge.deploy(world.job)
    assert world.bridge.deploy(world.job).state == "running"
    assert conflict.done and len(world.deployed) == 1


def test_an_undeploy_that_fails_stays_on_the_bill(world: World) -> None:
    world.bridge.deploy(world.job)
    world.injector.on("DELETE", DEPLOYMENTS, Answers(403))
    with pytest.raises(ftbridge.VendorError):
        world.bridge.undeploy(world.job)
    assert world.row["state"] == "stopping" and len(world.deployed) == 1
    ended = world.bridge.undeploy(world.job)
    assert ended and ended.state == "ended" and world.deployed == []


def killed(injector: Injector, verb: str, path: str, when: Any, *command: str) -> None:
    """Run a command in a process that is killed at its first call of this kind."""
    workers: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        os.kill(workers[0].pid, signal.SIGKILL)

    injector.on(verb, path, Does(kill, when))
    workers.append(subprocess.Popen([sys.executable, "-m", "ftbridge", *command], env=os.environ))
    assert workers[0].wait(90) == -signal.SIGKILL


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_it_undeploys(world: World, when: Any) -> None:
    world.bridge.deploy(world.job)
    killed(world.injector, "DELETE", DEPLOYMENTS, when, "undeploy", world.job)
    assert world.row["state"] == "stopping"
    ended = world.bridge.undeploy(world.job)
    assert ended and ended.state == "ended" and world.deployed == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_it_deploys(world: World, when: Any) -> None:
    killed(world.injector, "PUT", DEPLOYMENTS, when, "deploy", world.job, "--yes")
    assert world.row["state"] == "starting", "written before the vendor was asked"
    assert world.bridge.deploy(world.job).state == "running"
    assert len(world.deployed) == 1


def test_two_processes_deploy_at_once(world: World) -> None:
    world.injector.on("PUT", DEPLOYMENTS, Delay(0.5), times=2)
    command = [sys.executable, "-m", "ftbridge", "deploy", world.job, "--yes", "--json"]
    both = [subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE) for _ in range(2)]
    said = [json.loads(process.communicate(timeout=90)[0]) for process in both]
    assert {each["state"] for each in said} == {"running"}, said
    assert len(world.deployed) == 1 and world.row["state"] == "running"


def test_where_there_are_no_deployments(vendor: Account, tmp_path: Path, ask: Ask) -> None:
    vendor.reset(speed=200)
    args = ("submit", str(write_chats(tmp_path / "a.jsonl")), "--provider", "openai", "--yes")
    job = ask(*args, "--watch")[1]["job"]
    for command in ("deploy", "undeploy"):
        code, said = ask(command, job)
        assert (code, said["error"]["code"]) == (4, "unsupported")


# -- delete --------------------------------------------------------------------------------------


@pytest.fixture
def tuned(vendor: Account, tmp_path: Path) -> Iterator[tuple[ftbridge.Bridge, ftbridge.Job]]:
    bridge = ftbridge.Bridge()
    plan = bridge.plan(write_chats(tmp_path / "train.jsonl"), provider="openai")
    yield bridge, bridge.submit(plan).wait(0.05)
    bridge.ledger.close()


def test_a_model_is_deleted_for_good(
    tuned: tuple[ftbridge.Bridge, ftbridge.Job], vendor: Account, ask: Ask
) -> None:
    bridge, job = tuned
    code, said = ask("delete", job.id)
    assert (code, said["error"]["where"]) == (2, "--yes") and not vendor.store.deleted_models
    code, said = ask("delete", job.id, "--yes")
    assert (code, said) == (0, {"deleted": job.model, "what": "model"})
    assert vendor.store.deleted_models == {job.model}
    assert bridge.job(job.id).to_dict()["model_deleted_at"]
    assert ask("jobs")[1]["jobs"][0]["model_deleted_at"]
    assert ask("delete", job.id, "--yes")[0] == 0, "gone already is what was wanted"
    code, said = ask("delete", job.id, "--record", "--yes")
    assert (code, said["error"]["code"]) == (4, "unsupported")


def test_a_delete_that_is_refused_is_none(
    tuned: tuple[ftbridge.Bridge, ftbridge.Job], vendor: Account
) -> None:
    bridge, job = tuned
    vendor.injector.on("DELETE", r"/models/", Answers(403))
    with pytest.raises(ftbridge.VendorError):
        bridge.delete_model(job.id)
    assert bridge.job(job.id).to_dict()["model_deleted_at"] is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_it_deletes(
    tuned: tuple[ftbridge.Bridge, ftbridge.Job], vendor: Account, when: Any
) -> None:
    bridge, job = tuned
    killed(vendor.injector, "DELETE", r"/models/", when, "delete", job.id, "--yes")
    assert bridge.job(job.id).to_dict()["model_deleted_at"], "written before the vendor was asked"
    assert bridge.delete_model(job.id) == job.model
    assert vendor.store.deleted_models == {job.model}


def test_what_is_deployed_is_not_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {name: text for name, text in Azure.absent.items() if name != "delete_model"}
    monkeypatch.setattr(Azure, "absent", absent)
    world.bridge.deploy(world.job)
    with pytest.raises(ftbridge.OperationFailed) as caught:
        world.bridge.delete_model(world.job)
    assert caught.value.code == "deployed" and "undeploy" in caught.value.hint
