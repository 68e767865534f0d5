"""What whole jobs ask of SageMaker, call by call, and the permissions that this takes.

``golden.json`` was reviewed on 2026-11-25 against the service models of botocore 1.43.117
(sagemaker/2017-07-24, sagemaker-runtime/2017-05-13).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sagemaker_iam import of_calls, of_readme, of_storage
from sagemaker_place import Account, account, until

import ftbridge
from ftbridge.provider import ChatRequest
from ftbridge_sagemaker.emulator import JOB_TIMELINE

GOLDEN_FILE = Path(__file__).with_name("golden.json")
CHAT = {"messages": [{"role": "user", "content": "row?"}, {"role": "assistant", "content": "yes"}]}
PROMPT = CHAT["messages"][:1]
PAIR = {
    "prompt": PROMPT,
    "chosen": [{"role": "assistant", "content": "yes"}],
    "rejected": [{"role": "assistant", "content": "no"}],
}
GRADED = {"messages": PROMPT, "reference": "yes"}
EVALUATOR = "arn:aws:sagemaker:us-east-1:123456789012:hub-content/own/JsonDoc/grade/1.0.0"
MANAGED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sft": (CHAT, {"n_epochs": 2, "batch_size": 8, "learning_rate": 1e-5,
                   "options": {"sequence_length": "4K", "hours": "3", "hp_warmup_steps": "5"}}),
    "dpo_of_a_licensed_model": (
        PAIR, {"method": "dpo", "model": "meta-textgeneration-llama-3-1-8b-instruct",
               "options": {"accept_eula": "true", "kms_key_id": "alias/own",
                           "mlflow_arn": "arn:aws:sagemaker:us-east-1:123456789012:"
                           "mlflow-app/app-1", "mlflow_experiment": "support"}}),
    "rl_by_a_judge": (
        GRADED, {"method": "rl", "adapter": "full",
                 "options": {"technique": "rlaif", "evaluator_arn": EVALUATOR}}),
}  # fmt: skip
COMPUTE: dict[str, dict[str, Any]] = {
    "spot": {"machine": "ml.g5.12xlarge", "spot": "true", "hours": "2", "wait_hours": "3"},
    "warm_pool": {"machine": "ml.g5.xlarge", "keep_alive": "30", "volume_gb": "200",
                  "subnet_ids": "subnet-1,subnet-2", "security_group_ids": "sg-1",
                  "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"},
}  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def place(served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    served.reset()
    served.point(monkeypatch, tmp_path / "home")
    return served


def written(path: Path, row: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for _ in range(12)))
    return path


def asked(place: Account) -> list[dict[str, Any]]:
    """Every call, polls once."""
    seen: list[dict[str, Any]] = []
    for record in place.store.requests:
        body: Any = record.body
        if not isinstance(body, dict) or "operation" not in body:
            body = {"operation": "runtime:InvokeEndpoint", "input": {}}
        if not seen or seen[-1] != body:
            seen.append(body)
    return seen


def plain(place: Account, calls: list[dict[str, Any]]) -> Any:
    """Without what differs from run to run."""
    text = json.dumps(calls)
    for pattern, name in {
        r"ftb-[0-9a-f]{32}": "<key>",
        place.bucket: "<bucket>",
        r"ftbridge-[0-9a-f]{24}": "<content>",
        r"[0-9a-f]{64}": "<content>",
    }.items():
        text = re.sub(pattern, name, text)
    return json.loads(text)


def golden(name: str) -> Any:
    return json.loads(GOLDEN_FILE.read_text("utf-8"))[name]


@pytest.mark.parametrize("name", MANAGED)
def test_every_call_of_a_serverless_job(place: Account, name: str, tmp_path: Path) -> None:
    row, wishes = MANAGED[name]
    bridge = ftbridge.Bridge()
    data = written(tmp_path / "train.jsonl", row)
    plan = bridge.plan(data, provider="sagemaker", allow_unknown_cost=True, **wishes)
    job = bridge.submit(plan)
    place.ahead += JOB_TIMELINE.seconds
    job.wait()
    assert job.state == "succeeded"
    bridge.ledger.close()
    assert plain(place, asked(place)) == golden(name)


@pytest.mark.parametrize("name", COMPUTE)
def test_every_call_of_a_rented_job(place: Account, name: str, tmp_path: Path) -> None:
    bridge = ftbridge.Bridge()
    data = written(tmp_path / "train.jsonl", CHAT)
    plan = bridge.plan(
        data, provider="sagemaker_compute", allow_unknown_cost=True, options=COMPUTE[name]
    )
    job = bridge.submit(plan)
    remote = str(job.row.remote_id)
    place.machine(remote).finish()
    place.end(remote)
    job.wait()
    assert job.state == "succeeded"
    bridge.ledger.close()
    assert plain(place, asked(place)) == golden(name)


@pytest.mark.long
def test_the_policies_in_the_readme_are_what_is_asked_for(
    place: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Least privilege: each call of a job's whole life, and of doctor, as an action of IAM."""
    managed = _managed_life(place, tmp_path)
    place.reset()
    place.point(monkeypatch, tmp_path / "second")
    rented = _rented_life(place, tmp_path)
    assert of_readme() == {"sagemaker": sorted(managed), "sagemaker_compute": sorted(rented)}


def _actions(place: Account) -> set[str]:
    return of_calls(asked(place)) | of_storage(place.injector.requests, place.bucket)


def _managed_life(place: Account, folder: Path) -> set[str]:
    bridge = ftbridge.Bridge()
    data = written(folder / "train.jsonl", CHAT)
    more: dict[str, Any] = {"provider": "sagemaker", "allow_unknown_cost": True}
    job = bridge.submit(bridge.plan(data, **more))
    place.ahead += JOB_TIMELINE.seconds
    job.wait()
    provider = bridge.provider("sagemaker")
    provider.doctor()
    job.download(folder / "weights")
    place.ahead += 60
    name = _deployed(place, provider, str(job.model))
    provider.chat(name, ChatRequest(messages=PROMPT))
    provider.undeploy(str(job.model))
    provider.delete_model(str(job.model))
    other = written(folder / "other.jsonl", {"messages": [*PROMPT, *PAIR["rejected"]]})
    bridge.submit(bridge.plan(other, **more)).cancel()
    job.purge()
    provider.delete(str(job.row.remote_id))
    bridge.ledger.close()
    return _actions(place)


def _deployed(place: Account, provider: Any, model: str) -> str:
    """Deploy while the emulator's clock goes on."""
    done = threading.Event()

    def hurry() -> None:
        while not done.wait(0.05):
            place.ahead += 1

    thread = threading.Thread(target=hurry)
    thread.start()
    try:
        return str(provider.deploy(model))
    finally:
        done.set()
        thread.join()


def _rented_life(place: Account, folder: Path) -> set[str]:
    bridge = ftbridge.Bridge()
    data = written(folder / "rented.jsonl", CHAT)
    more: dict[str, Any] = {
        "provider": "sagemaker_compute", "allow_unknown_cost": True,
    }  # fmt: skip
    machine = {"machine": "ml.g5.xlarge"}
    job = bridge.submit(bridge.plan(data, options=machine, **more))
    remote = str(job.row.remote_id)
    place.machine(remote).finish()
    place.end(remote)
    job.wait()
    provider = bridge.provider("sagemaker_compute")
    provider.doctor()
    job.download(folder / "adapter")
    again = written(folder / "other.jsonl", {"messages": [*PROMPT, *PAIR["rejected"]]})
    other = bridge.submit(bridge.plan(again, options=machine, **more))
    until(lambda: place.store.jobs[str(other.row.remote_id)].run._machine is not None)
    other.cancel()
    provider.delete_model(str(job.model))
    job.purge()
    provider.delete(remote)
    bridge.ledger.close()
    return _actions(place)
