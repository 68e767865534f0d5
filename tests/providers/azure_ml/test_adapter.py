"""The adapter beside the public suite: names, cluster or serverless, what opens the storage."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure_ml_place import Account, workspace

from ftbridge.errors import CredentialsError, OperationFailed, UsageError, VendorError
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context
from ftbridge.testing.faults import Answers
from ftbridge_azure_ml import Provider, wire
from ftbridge_azure_ml.emulator import SAS, STORAGE_KEY, SUBSCRIPTION, TOKEN

A100 = "Standard_NC24ads_A100_v4"


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with workspace() as made:
        yield made


@pytest.fixture
def place(served: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    served.reset()
    monkeypatch.setenv("AZURE_ML_TOKEN", TOKEN)
    return served


def connect(place: Account, **options: str) -> Provider:
    return Provider(Context(Path("unused"), place.options() | options))


def spec(**options: str) -> JobSpec:
    training = {"path": "t", "sha256": "0" * 64, "kind": "chat", "examples": 9, "bytes": 4000}
    return JobSpec.model_validate({
        "provider": "azure_ml", "model": "Qwen/Qwen3-0.6B", "adapter": "lora",
        "training": training, "options": options,
    })  # fmt: skip


def body(provider: Provider, **options: str) -> dict[str, Any]:
    request = provider.request(spec(**options), "files/a.jsonl", None, "ftb-1")
    properties: dict[str, Any] = request["job"]["properties"]
    return properties


class TestTheRequest:
    def test_serverless_names_a_machine_and_a_tier(self, place: Account) -> None:
        asked = body(connect(place), machine=A100)
        assert asked["resources"] == {"instanceCount": 1, "instanceType": A100}
        assert asked["queueSettings"] == {"jobTier": "Standard"} and "computeId" not in asked
        spot = body(connect(place), machine=A100, spot="true")
        assert spot["queueSettings"] == {"jobTier": "Spot"}

    def test_a_cluster_has_both_of_its_own(self, place: Account) -> None:
        asked = body(connect(place), machine=A100, compute="gpu", identity="managed")
        assert asked["computeId"].endswith("/computes/gpu") and "queueSettings" not in asked
        assert asked["identity"] == {"identityType": "Managed"}

    def test_several_gpus_are_as_many_processes(self, place: Account) -> None:
        asked = body(connect(place), machine="Standard_ND96asr_v4")
        assert asked["command"].endswith("--workers 8")

    def test_an_image_is_registered_under_what_it_is(self, place: Account) -> None:
        first, other = (body(connect(place), image=f"acme/torch:{tag}") for tag in "12")
        assert first["environmentId"] != other["environmentId"]

    @pytest.mark.parametrize(
        ("option", "value"),
        [("compute", "a/b"), ("datastore", "../x"), ("identity", "nobody"), ("workspace", "a b")],
    )
    def test_bad_names_are_named(self, place: Account, option: str, value: str) -> None:
        with pytest.raises(UsageError) as caught:
            body(connect(place, **{option: value}))
        assert caught.value.where == option

    def test_the_workspace_must_be_named(self, place: Account) -> None:
        bare = Provider(Context(Path("unused"), {}))
        assert bare.account == "?/?/?" and bare.at_vendor
        with pytest.raises(UsageError, match="subscription_id") as caught:
            bare.require_ready()
        assert "AZURE_SUBSCRIPTION_ID" in caught.value.hint


class TestTheCluster:
    def test_it_is_asked_for_its_machine(self, place: Account) -> None:
        connect(place).preflight(spec(machine=A100, compute="gpu"))
        connect(place).preflight(spec(machine=A100))  # serverless: nobody is asked
        with pytest.raises(UsageError, match=A100) as caught:
            connect(place).preflight(spec(machine="Standard_NC4as_T4_v3", compute="gpu"))
        assert caught.value.where == "machine"

    def test_its_priority_is_not_ours_to_choose(self, place: Account) -> None:
        connect(place).preflight(spec(machine=A100, compute="gpu-low", spot="true"))
        with pytest.raises(UsageError) as caught:
            connect(place).preflight(spec(machine=A100, compute="gpu", spot="true"))
        assert caught.value.where == "spot"

    def test_one_that_is_not_there(self, place: Account) -> None:
        with pytest.raises(VendorError) as caught:
            connect(place).preflight(spec(compute="gone", machine=A100))
        assert caught.value.status == 404


class TestTheJob:
    def test_every_status_has_a_state(self) -> None:
        documents = [{"name": "j", "properties": {"status": word}} for word in wire.STATUSES]
        assert [wire.job(each).state for each in documents] == list(wire.STATUSES.values())
        odd = wire.job({"name": "j", "properties": {"status": "Unknown"}})
        assert (odd.state, odd.raw_state) == (State.UNKNOWN, "Unknown")
        asked = wire.job({"name": "j", "properties": {"status": "CancelRequested"}})
        assert asked.stopping and asked.state is State.RUNNING

    def test_a_failure_has_the_trainers_words(self, place: Account) -> None:
        provider = connect(place)
        provider.create(provider.request(spec(), "files/a.jsonl", None, "ftb-1"), "ftb-1")
        place.store.finish("ftb-1", 0.0, "Failed")
        assert provider.get("ftb-1").error == {
            "code": "failed",
            "message": "the job failed; its page in the studio has the log",
        }
        said = {"state": "failed", "error": {"code": "out_of_memory", "message": "too large"}}
        provider.store().write("jobs/ftb-1/out/status.json", io.BytesIO(json.dumps(said).encode()))
        error = provider.get("ftb-1").error
        assert error and error["code"] == "out_of_memory"

    def test_the_same_job_twice_is_one(self, place: Account) -> None:
        provider = connect(place)
        request = provider.request(spec(), "files/a.jsonl", None, "ftb-1")
        assert {provider.create(request, "ftb-1").id for _ in range(2)} == {"ftb-1"}
        assert len(place.store.jobs) == 1


class TestTheStorage:
    @pytest.mark.parametrize("kept", ["AccountKey", "Sas"])
    def test_what_the_datastore_keeps_opens_it(self, place: Account, kept: str) -> None:
        place.store.credentials = kept
        store = connect(place).store()
        assert store.read("a/b") is None and store.size("a/b") is None and store.names("a") == []
        store.write("a/b", io.BytesIO(b"content"))
        assert (store.read("a/b"), store.size("a/b"), store.names("a")) == (b"content", 7, ["b"])
        store.remove("a/b")
        store.remove("a/b")  # gone already
        assert store.read("a/b") is None

    def test_a_file_that_is_gone_is_said(self, place: Account, tmp_path: Path) -> None:
        with pytest.raises(OperationFailed, match="is gone"):
            connect(place).store().fetch("a/b", tmp_path / "b")
        assert not list(tmp_path.iterdir())

    @pytest.mark.long
    def test_a_large_file_goes_in_blocks(self, place: Account, tmp_path: Path) -> None:
        store, content = connect(place).store(), bytes(range(256)) * (1 << 18)  # 64 MiB
        store.write("big", io.BytesIO(content + b"!"))
        store.fetch("big", tmp_path / "big")
        assert (tmp_path / "big").read_bytes() == content + b"!"

    def test_a_refused_key_is_a_matter_of_credentials(self, place: Account) -> None:
        store = connect(place).store()
        for secret in (STORAGE_KEY, SAS):
            said = f"<Error><Code>AuthenticationFailed</Code><Message>{secret}</Message></Error>"
            place.injector.on("PUT", "/sandboxstore/", Answers(403, body=said.encode()))
            with pytest.raises((CredentialsError, VendorError)) as caught:
                store.write("a", io.BytesIO(b"x"))
            assert STORAGE_KEY not in str(caught.value) and caught.value.hint


class TestDoctor:
    def test_a_wrong_region_is_said(self, place: Account) -> None:
        checks = {check.name: check for check in connect(place, region="westeurope").doctor()}
        assert checks["region"].ok is False and "eastus" in checks["region"].hint
        assert checks["access"].ok

    def test_a_wrong_token_and_a_wrong_name(
        self, place: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checks = connect(place, workspace="other").doctor()
        assert checks[-1].ok is False and "AZUREML_WORKSPACE_NAME" in checks[-1].hint
        monkeypatch.setenv("AZURE_ML_TOKEN", "wrong-token")
        checks = connect(place).doctor()
        assert checks[-1].ok is False and "wrong-token" not in repr(checks)

    def test_the_account_is_a_place(self, place: Account) -> None:
        assert SUBSCRIPTION in connect(place).account and TOKEN not in connect(place).account
