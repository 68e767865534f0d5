"""What leaves this machine for Azure: addresses, credentials, bodies, and what comes of answers.

The bodies are held against Microsoft's fine-tuning guide (learn.microsoft.com,
azure/foundry/openai/how-to/fine-tuning, read 2026-11-24) and against OpenAI's
``POST /fine_tuning/jobs``, which Azure's v1 reference repeats. A recorder answers, so that no
emulator's reading of the documents stands between.
"""

from __future__ import annotations

from typing import Any

import pytest
from azure_recorder import ARM_TOKEN, JOB, KEY, TOKEN, TUNED, connect, spec
from recording import Recorder

from ftbridge import clock
from ftbridge.errors import CredentialsError, NetworkError, UsageError, VendorError
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import ChatRequest
from ftbridge_azure_openai import Provider
from ftbridge_azure_openai.arm import deployment_name


def create(provider: Provider, asked: JobSpec, validation: str | None = None) -> None:
    provider.create(provider.request(asked, "file-1", validation, "ftb-key"), "ftb-key")


GOLDEN_SFT = {
    "model": "gpt-4.1-mini-2025-04-14",
    "training_file": "file-1",
    "validation_file": "file-2",
    "suffix": "support",
    "seed": 105,
    "method": {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 0.1}},
    },
    "metadata": {"ftbridge_key": "ftb-key", "team": "blue"},
    "trainingType": "GlobalStandard",
}
GOLDEN_DPO = {
    "model": "gpt-4.1-mini-2025-04-14",
    "training_file": "file-1",
    "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}},
    "metadata": {"ftbridge_key": "ftb-key"},
    "trainingType": "developerTier",
}


def test_golden_requests(azure: Recorder) -> None:
    wished = {"n_epochs": 2, "learning_rate_multiplier": 0.1}
    more = {"suffix": "support", "seed": 105, "tags": {"team": "blue"}}
    options = {"training_type": "global"}
    create(connect(), spec(hyperparameters=wished, options=options, **more), "file-2")
    options = {"training_type": "developer"}
    create(connect(), spec(method="dpo", hyperparameters={"beta": 0.2}, options=options))
    assert [call[4] for call in azure.seen] == [GOLDEN_SFT, GOLDEN_DPO]


def test_an_unset_tier_is_not_sent(azure: Recorder) -> None:
    create(connect(), spec())
    assert "trainingType" not in azure.seen[0][4]
    create(connect(training_type="standard"), spec())
    assert azure.seen[1][4]["trainingType"] == "Standard"


def test_the_v1_form(azure: Recorder) -> None:
    connect().get("ftjob-1")
    connect(base_url=f"{azure.url}/openai/v1").get("ftjob-1")
    for _, path, query, headers, _ in azure.seen:
        assert path == "/openai/v1/fine_tuning/jobs/ftjob-1" and query == {}
        assert headers["api-key"] == KEY and "authorization" not in headers


def test_the_classic_form(azure: Recorder) -> None:
    provider = connect(api_version="2025-04-01-preview")
    provider.get("ftjob-1")
    provider.chat(TUNED, ChatRequest(messages=[{"role": "user", "content": "x"}]))
    paths = [call[1] for call in azure.seen]
    name = deployment_name(TUNED)
    assert paths == [
        "/openai/fine_tuning/jobs/ftjob-1",
        f"/openai/deployments/{name}/chat/completions",
    ]
    for _, _, query, headers, _ in azure.seen:
        assert query == {"api-version": "2025-04-01-preview"} and headers["api-key"] == KEY


@pytest.mark.parametrize("options", [{}, {"api_version": "2025-04-01-preview"}])
def test_a_token_goes_before_a_key(
    azure: Recorder, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", TOKEN)
    connect(**options).get("ftjob-1")
    headers = azure.seen[0][3]
    assert headers["authorization"] == f"Bearer {TOKEN}" and "api-key" not in headers


@pytest.mark.parametrize("options", [{}, {"api_version": "2025-04-01-preview"}])
def test_entra_through_azure_identity(
    azure: Recorder, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    asked = []

    class Credential:
        def get_token(self, scope: str) -> Any:
            asked.append(scope)
            return type("Access", (), {"token": TOKEN})

    monkeypatch.setattr("azure.identity.DefaultAzureCredential", Credential)
    connect(auth="entra", **options).get("ftjob-1")
    headers = azure.seen[0][3]
    assert headers["authorization"] == f"Bearer {TOKEN}" and "api-key" not in headers
    assert set(asked) == {"https://cognitiveservices.azure.com/.default"}


WORDS = {
    "created": State.QUEUED, "pending": State.QUEUED, "validating_files": State.VALIDATING,
    "queued": State.QUEUED, "running": State.RUNNING, "pausing": State.RUNNING,
    "paused": State.PAUSED, "resuming": State.QUEUED, "succeeded": State.SUCCEEDED,
    "failed": State.FAILED, "cancelling": State.RUNNING, "cancelled": State.CANCELLED,
    "canceled": State.CANCELLED, "Succeeded": State.UNKNOWN,
}  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_states(azure: Recorder, word: str) -> None:
    azure.plan.append((200, {**JOB, "status": word}, {}))
    job = connect().get("ftjob-1")
    assert (job.state, job.raw_state) == (WORDS[word], word)
    assert job.stopping is (word in ("pausing", "cancelling"))


@pytest.mark.parametrize("status", ["pending", "running", "uploaded", "processed", "error"])
def test_a_file_is_ready_once_it_is_processed(azure: Recorder, status: str) -> None:
    file = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "a.jsonl"}
    file |= {"purpose": "fine-tune", "status": status, "status_details": "line 3"}
    azure.plan.append((200, file, {}))
    found = connect().file_state("file-1")
    assert found.ready is (status == "processed")
    assert found.error == ("line 3" if status == "error" else None)


def test_a_job_is_found_by_reading_the_list(azure: Recorder) -> None:
    listed = [JOB, {**JOB, "id": "ftjob-2", "metadata": {"ftbridge_key": "ftb-key"}}]
    azure.plan.append((200, {"object": "list", "data": listed, "has_more": False}, {}))
    found = connect().find("ftb-key")
    assert found is not None and found.id == "ftjob-2"
    assert azure.seen[0][2] == {"limit": "100"}


def test_a_list_that_shows_no_metadata_proves_no_absence(azure: Recorder) -> None:
    """Else a create whose answer was lost would be made, and paid, twice."""
    now = int(clock.real_now().timestamp())
    for age, told in ((60, False), (60, True), (100_000, False)):
        listed = {**JOB, "created_at": now - age, **({"metadata": None} if told else {})}
        azure.plan.append((200, {"object": "list", "data": [listed], "has_more": False}, {}))
        if age == 60 and not told:
            with pytest.raises(VendorError, match="ftjob-1"):
                connect().find("ftb-key")
        else:
            assert connect().find("ftb-key") is None


def test_deploy_and_undeploy_go_through_resource_manager(azure: Recorder) -> None:
    place = {"subscription": "sub", "resource_group": "group", "resource": "mine"}
    chosen = {"deployment_type": "global", "poll_seconds": "0"}
    provider = connect(arm_url=azure.url, **chosen, **place)
    state = {"properties": {"provisioningState": "Creating"}}
    azure.plan += [(201, state, {}), (200, state, {})]
    name = provider.deploy(TUNED)
    provider.undeploy(TUNED)
    path = (
        "/subscriptions/sub/resourceGroups/group/providers/Microsoft.CognitiveServices"
        f"/accounts/mine/deployments/{name}"
    )
    assert [call[:3] for call in azure.seen] == [
        (verb, path, {"api-version": "2024-10-01"}) for verb in ("PUT", "GET", "GET", "DELETE")
    ]
    assert azure.seen[0][4] == {
        "sku": {"name": "globalstandard", "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": TUNED, "version": "1"}},
    }
    assert all(call[3]["authorization"] == f"Bearer {ARM_TOKEN}" for call in azure.seen)
    azure.plan.append((404, {"error": {"code": "DeploymentNotFound", "message": "gone"}}, {}))
    provider.undeploy(TUNED)


def test_a_deployment_that_fails_or_lasts_is_said(azure: Recorder) -> None:
    place = {"subscription": "sub", "resource_group": "group", "arm_url": azure.url}
    state = {"properties": {"provisioningState": "Failed"}}
    azure.plan += [(201, state, {}), (200, state, {})]
    with pytest.raises(VendorError, match="Failed"):
        connect(**place).deploy(TUNED)
    state = {"properties": {"provisioningState": "Creating"}}
    azure.plan += [(201, state, {}), (200, state, {})]
    with pytest.raises(NetworkError, match="Creating"):
        connect(deploy_seconds="0", **place).deploy(TUNED)
    with pytest.raises(UsageError) as caught:
        connect(arm_url=azure.url).deploy(TUNED)
    assert caught.value.where == "subscription"


def test_arm_errors_are_translated(azure: Recorder) -> None:
    place = {"subscription": "sub", "resource_group": "group", "arm_url": azure.url}
    said = {"error": {"code": "AuthorizationFailed", "message": f"no {ARM_TOKEN}"}}
    azure.plan.append((403, said, {"x-ms-request-id": "r-1"}))
    with pytest.raises(VendorError) as caught:
        connect(**place).deploy(TUNED)
    error = caught.value
    assert (error.vendor_code, error.request_id) == ("AuthorizationFailed", "r-1")
    assert ARM_TOKEN not in str(error.to_dict()) and "Owner" in (error.hint or "")
    azure.plan.append((401, {}, {}))
    with pytest.raises(CredentialsError):
        connect(**place).deploy(TUNED)
    with pytest.raises(NetworkError):
        connect(**(place | {"arm_url": "http://127.0.0.1:9"})).deploy(TUNED)


def test_deployment_names_fit_and_differ() -> None:
    names = {deployment_name(f"{TUNED}:{number}" + "x" * 60) for number in range(3)}
    names.add(deployment_name(TUNED))
    assert all(len(name) <= 64 and "." not in name for name in names)


CODES = [(404, "DeploymentNotFound", "deploy"), (429, "InsufficientQuota", "quota")]


@pytest.mark.parametrize(("status", "code", "hint"), CODES)
def test_azure_codes_and_request_ids(azure: Recorder, status: int, code: str, hint: str) -> None:
    said = {"error": {"code": code, "message": f"no {KEY}"}}
    azure.plan.append((status, said, {"apim-request-id": "apim-1"}))
    with pytest.raises(VendorError) as caught:
        connect().get("ftjob-1")
    error = caught.value
    assert (error.vendor_code, error.request_id) == (code, "apim-1")
    assert hint in (error.hint or "") and KEY not in str(error.to_dict())
    assert error.transient is False
