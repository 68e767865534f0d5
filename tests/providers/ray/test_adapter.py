"""What a Ray cluster is asked, what it is said to cost, and when a command is begun again."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ftbridge.cost.types import TokenCount
from ftbridge.dataset.types import Kind
from ftbridge.errors import NetworkError, UsageError
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context
from ftbridge_ray import Provider, wire

KEY = "ftb-0123456789abcdef0123456789abcdef"
ROW: dict[str, Any] = {
    "submission_id": KEY, "status": "RUNNING", "start_time": 1_800_000_000_000, "end_time": None,
}  # fmt: skip
TOKENS = TokenCount(low=10**6, high=10**6, n_epochs=1, grade="exact", counter="test")


def spec(**options: str) -> JobSpec:
    training = DataRef(path="d", sha256="s", kind=Kind.CHAT, examples=12, bytes=1000)
    base = {"provider": "ray", "model": "Qwen/Qwen3-8B", "adapter": "qlora", "training": training}
    return JobSpec.model_validate(base | {"options": {"storage": "/mnt/share", **options}})


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(Context(tmp_path, {"storage": "/mnt/share"}))


def test_the_request(provider: Provider) -> None:
    asked = provider.request(
        spec(gpus="2", mounted="/data", python="/opt/py"), "a.jsonl", None, KEY
    )
    body = asked["job"]
    assert (body["submission_id"], body["entrypoint_num_gpus"]) == (KEY, 2)
    assert (
        f"do /opt/py /data/jobs/{KEY}/in/trainer.zip --in /data/jobs/{KEY}/in "
        f"--out /data/jobs/{KEY}/out --files /data/files --workers 2; code=$?"
    ) in body["entrypoint"]


def test_ray_train_places_the_workers(provider: Provider) -> None:
    asked = provider.request(spec(engine="train", workers="4"), "a.jsonl", None, KEY)
    out = f"/mnt/share/jobs/{KEY}/out"
    assert f"python -m ftbridge_trainer.on_ray {out};" in asked["job"]["entrypoint"]
    path = f"/mnt/share/jobs/{KEY}/in/trainer.zip"
    assert asked["job"]["runtime_env"] == {"env_vars": {"PYTHONPATH": path}}
    assert asked["recipe"]["workers"] == 4 and "entrypoint_num_gpus" not in asked["job"]


@pytest.mark.parametrize(
    "option", ["gpus=x", "attempts=0", "engine=two", "usd_per_hour=dear", "hours=3", "image=x",
               "storage=here"]
)  # fmt: skip
def test_bad_options_are_named(provider: Provider, option: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(UsageError) as caught:
        provider.request(spec(**{name: value}), "a", None, KEY)
        provider.billing(spec(**{name: value}), TOKENS)
    assert name in caught.value.message + caught.value.where + caught.value.hint


def test_unknown_is_unknown(provider: Provider) -> None:
    (line,) = provider.billing(spec(), TOKENS)
    assert line.low is None and line.high is None and "usd_per_hour" in line.formula
    (line,) = provider.billing(spec(usd_per_hour="3"), TOKENS)
    assert line.high is None
    (hours,) = provider.billing(spec(usd_per_hour="1", gpu="A100 80GB"), TOKENS)
    (dear,) = provider.billing(spec(usd_per_hour="3", gpu="A100 80GB"), TOKENS)
    assert hours.high and dear.high == hours.high * 3 and dear.priced_as == "usd_per_hour"


@pytest.mark.parametrize("word", [*wire.STATES, "RESTARTING"])
def test_every_state(word: str) -> None:
    seen = wire.job({**ROW, "status": word, "end_time": 1_800_003_600_000}, Decimal(2))
    assert (seen.state, seen.raw_state) == (wire.STATES.get(word, State.UNKNOWN), word)
    assert (seen.billed_usd == 2) is (seen.state in wire.ENDED)
    assert (seen.error is not None) is (word == "FAILED")


def test_what_a_job_printed_is_not_repeated() -> None:
    row = {**ROW, "status": "FAILED", "message": "last log: a customer's name",
           "error_type": "JOB_ENTRYPOINT_COMMAND_ERROR"}  # fmt: skip
    seen = wire.job(row, None)
    assert seen.error == {
        "code": "job_entrypoint_command_error",
        "message": "the training ended with an error",
    }
    assert seen.billed_usd is None


@pytest.mark.parametrize("answer", [[], {}, {"status": "RUNNING"}, "yes", None])
def test_another_servers_answer(answer: Any) -> None:
    with pytest.raises(NetworkError):
        wire.job(answer, None)


@pytest.mark.parametrize(
    ("code", "begun"), [(0, 1), (1, 1), (2, 1), (75, 3), (127, 1), (128, 3), (137, 3), (255, 3)]
)
def test_begun_again_only_after_a_loss(tmp_path: Path, code: int, begun: int) -> None:
    marks = tmp_path / "marks"
    command = ["sh", "-c", f"echo x >> {marks}; exit {code}"]
    done = subprocess.run(["/bin/sh", "-c", wire.entrypoint(command, 3)])
    assert done.returncode == code
    assert len(marks.read_text().split()) == begun
