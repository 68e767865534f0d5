"""What Hugging Face Jobs are asked, where the data may lie, and what is said where it may not."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from emulated import write_chats
from huggingface_place import Account

import ftbridge
from ftbridge.dataset.types import Kind
from ftbridge.errors import CredentialsError, NetworkError, ProviderError, UsageError, VendorError
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context
from ftbridge_huggingface import Provider, wire
from ftbridge_huggingface.emulator import TOKEN

KEY = "ftb-0123456789abcdef0123456789abcdef"


def spec(**changes: Any) -> JobSpec:
    training = DataRef(path="d", sha256="s", kind=Kind.CHAT, examples=12, bytes=1000)
    base = {"provider": "huggingface", "model": "Qwen/Qwen3-8B", "adapter": "qlora"}
    return JobSpec.model_validate(base | {"training": training} | changes)


def test_the_request(provider: Provider) -> None:
    options = {"machine": "a10g-large", "hours": "2", "max_length": "512"}
    asked = provider.request(spec(options=options), "hf://x/files/a.jsonl", None, KEY)
    assert asked["job"] == {
        "image": provider.image,
        "command": [
            "python", f"/ftbridge/jobs/{KEY}/in/trainer.zip", "--in", f"/ftbridge/jobs/{KEY}/in",
            "--out", f"/ftbridge/jobs/{KEY}/out", "--files", "/ftbridge/files",
        ],
        "flavor": "a10g-large",
        "timeout": 7200,
        "attempts": 3,
        "labels": {"ftbridge_key": KEY},
        "volumes": [{"type": "bucket", "source": "ftbridge", "mount_path": "/ftbridge"}],
        "pass_token": True,
    }  # fmt: skip
    assert asked["recipe"]["max_length"] == 512 and "machine" not in asked["recipe"]


def test_a_flavor_has_its_price(provider: Provider) -> None:
    by_flavor = provider.machine(spec(options={"machine": "a10g-largex4"}))
    assert by_flavor.name == "4x Nvidia A10G - large" and by_flavor.gpus == 4
    assert by_flavor.row is not None and by_flavor.row.usd == 5
    new = provider.machine(spec(options={"machine": "b200"}))
    assert (new.name, new.row) == ("b200", None)


@pytest.mark.parametrize(
    "option", ["attempts=0", "attempts=x", "pass_token=maybe", "bucket=a/b", "wheels=4"]
)
def test_bad_options_are_named(provider: Provider, option: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(UsageError) as caught:
        provider.request(spec(options={name: value}), "a", None, KEY)
    assert name in caught.value.message


def test_a_machine_that_is_not_rented_is_refused_before(provider: Provider) -> None:
    provider.preflight(spec())
    with pytest.raises(UsageError, match="no `b200` today") as caught:
        provider.preflight(spec(options={"machine": "b200"}))
    assert "h200x8" in caught.value.hint


def test_the_token_is_a_secret_of_the_job_alone(
    place: Account, bridge: ftbridge.Bridge, tmp_path: Path
) -> None:
    data = write_chats(tmp_path / "train.jsonl")
    job = bridge.submit(bridge.plan(data, provider="huggingface", n_epochs=1))
    (remote,) = place.store.jobs.values()
    assert remote.body["secrets"] == {"HF_TOKEN": TOKEN}
    assert TOKEN not in json.dumps(remote.body | {"secrets": {}})
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*.db*"))
    wishes = {"n_epochs": 2, "options": {"pass_token": "false"}}
    bridge.submit(bridge.plan(data, provider="huggingface", **wishes))
    assert "secrets" not in list(place.store.jobs.values())[-1].body
    assert job.state == "queued"


def test_a_public_bucket_gets_nothing(place: Account, provider: Provider) -> None:
    bucket = place.store.new_bucket("sandbox/ftbridge", private=False)
    with pytest.raises(ProviderError, match="not private") as caught:
        provider.store().write("files/a.jsonl", io.BytesIO(b"secret"))
    assert caught.value.code == "bucket_not_private" and bucket.files() == []


def test_files_there_and_back(place: Account, provider: Provider, tmp_path: Path) -> None:
    store = provider.store()
    assert store.read("a/b.txt") is None and store.size("a/b.txt") is None
    assert store.names("a") == []
    store.write("a/b.txt", io.BytesIO(b"one"))
    store.write("a/c d/ä.txt", io.BytesIO(b""))
    store.write("ab.txt", io.BytesIO(b"three"))
    assert store.read("a/b.txt") == b"one" and store.size("a/b.txt") == 3
    assert store.names("a") == ["b.txt", "c d/ä.txt"]
    store.write("a/b.txt", io.BytesIO(b"other"))
    store.fetch("a/b.txt", tmp_path / "deep" / "b.txt")
    assert (tmp_path / "deep" / "b.txt").read_bytes() == b"other"
    for _ in range(2):
        store.remove("a/b.txt")
    assert store.names("a") == ["c d/ä.txt"]
    assert store.address("a") == "hf://buckets/sandbox/ftbridge/a"
    with pytest.raises(UsageError, match="not below"):
        provider.delete_model("hf://buckets/other/place/adapter")


@pytest.mark.parametrize("stage", [*wire.STAGES, "PAUSED"])
def test_every_stage(place: Account, provider: Provider, stage: str) -> None:
    provider.store().write("x", io.BytesIO(b"x"))
    request = provider.request(spec(), "files/a.jsonl", None, KEY)
    job = provider.create(request, KEY)
    place.store.jobs[job.id].stage = stage
    seen = provider.look(job.id)
    assert (seen.state, seen.raw_state) == (wire.STAGES.get(stage, State.UNKNOWN), stage)
    assert (seen.error is not None) is (stage == "ERROR")


def test_it_goes_on_as_often_as_attempts_say(place: Account, provider: Provider) -> None:
    request = provider.request(spec(options={"attempts": "2"}), "files/a.jsonl", None, KEY)
    job = provider.create(request, KEY)
    remote = place.store.jobs[job.id]
    place.store.begin(job.id)
    remote.machines[0].kill()
    assert provider.get(job.id).state is State.RUNNING
    remote.machines[1].kill()
    failed = provider.get(job.id)
    assert failed.state is State.FAILED and failed.error and failed.error["code"] == "error"


def test_without_a_token(place: Account, provider: Provider, monkeypatch: Any) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(CredentialsError, match="no Hugging Face token"):
        provider.require_ready()
    assert provider.account.startswith("no-token@")
    assert [check.ok for check in provider.doctor()] == [True, False]


def test_offline_is_said(place: Account, provider: Provider, monkeypatch: Any) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(NetworkError, match="HF_HUB_OFFLINE"):
        provider.find(KEY)


def test_a_wrong_token(place: Account, provider: Provider, monkeypatch: Any) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(CredentialsError) as caught:
        provider.find(KEY)
    assert "hf_wrong" not in caught.value.message + caught.value.hint
    assert provider.doctor()[-1].ok is False


def test_another_namespace_is_refused_by_the_hub(place: Account, tmp_path: Path) -> None:
    other = Provider(Context(tmp_path, {"namespace": "acme"}))
    with pytest.raises(VendorError) as caught:
        other.find(KEY)
    assert caught.value.status == 403
    assert other.account.startswith("acme@") and other.kept == {"namespace": "acme"}
