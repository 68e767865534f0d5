"""What is Bedrock's own: its formats, options, phases, bucket, life cycles, serving, Converse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bedrock_sandbox import ROLE, Account, account

from ftbridge import clock
from ftbridge.cost.prices import PriceBook
from ftbridge.cost.use import Use
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Chat, Message, Text
from ftbridge.errors import CredentialsError, DataError, ServiceClosed, Unsupported, UsageError
from ftbridge.files import sha256_of
from ftbridge.jobs.planning import Limits, make_plan
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.jobs.states import State
from ftbridge.policy import CheckedUpload, Privacy, check_upload
from ftbridge.provider import ChatRequest, Context
from ftbridge_bedrock import Provider, chat, wire
from ftbridge_bedrock.emulator import ACCOUNT, REGION

NOVA, NOVA_2 = "amazon.nova-lite-v1:0:300k", "amazon.nova-2-lite-v1:0:256k"
LLAMA, TITAN = "meta.llama3-1-8b-instruct-v1:0:128k", "amazon.titan-text-express-v1:0:8k"
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0:200k"
LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:grade"
CHAT = Chat(
    messages=[Message("system", "short"), Message("user", "hi"), Message("assistant", "yes")]
)


@pytest.fixture(scope="module")
def _served() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def served(_served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    _served.reset()
    for name, value in _served.env(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clock, "sleep", lambda seconds: _served.pass_time(10))
    return _served


def place(served: Account, tmp_path: Path, **options: str) -> Provider:
    given = {"bucket": served.bucket, "role_arn": ROLE, "poll_seconds": "0.01"}
    return Provider(Context(tmp_path, given | options))


def spec(model: str = NOVA, kind: str = "chat", **changes: Any) -> JobSpec:
    data = DataRef(path="d", sha256="0" * 64, kind=kind, examples=1, bytes=1)  # type: ignore[arg-type]
    return JobSpec.model_validate(
        {"provider": "bedrock", "model": model, "training": data} | changes
    )


def checked(provider: Provider, tmp_path: Path, line: bytes) -> CheckedUpload:
    path = tmp_path / "sent.jsonl"
    path.write_bytes(line + b"\n")
    where = provider.destination
    return check_upload(path, sha256_of(path), "training", Privacy.PUBLIC, where)


def finished(served: Account, provider: Provider, tmp_path: Path, model: str = NOVA) -> Any:
    wanted = spec(model)
    line = provider.suited(wanted).convert(CHAT).line
    file = provider.upload(checked(provider, tmp_path, line))
    made = provider.create(provider.request(wanted, file.id, file.id, "ftb-1"), "ftb-1")
    served.pass_time(60)
    return provider.get(made.id), file


# -- before the job --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model, example, keys",
    [
        (NOVA, CHAT, {"schemaVersion", "system", "messages"}),
        (CLAUDE, CHAT, {"system", "messages"}),
        (LLAMA, CHAT, {"prompt", "completion"}),
        (TITAN, Text("plain"), {"input"}),
    ],
)
def test_each_family_has_its_own_lines(
    served: Account, tmp_path: Path, model: str, example: Any, keys: set[str]
) -> None:
    provider = place(served, tmp_path)
    kind = "text" if isinstance(example, Text) else "chat"
    writer = provider.suited(spec(model, kind))
    line = writer.convert(example).line
    assert set(json.loads(line)) == keys
    assert type(writer.parse(line)) is type(provider.parse(line)) is type(example)


def test_a_plan_for_llama_is_surveyed_in_its_own_format(served: Account, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    rows = [{"role": "user", "content": "User: hi"}, {"role": "assistant", "content": "yes"}]
    data.write_text(json.dumps({"messages": rows}) + "\n")
    provider = place(served, tmp_path)
    limits = Limits(allow_unknown_cost=True)
    book = PriceBook.load([Provider.folder], [])
    plan = make_plan(provider, spec(LLAMA), (Dataset(data), None), book, limits)
    assert plan.training.bytes == len(b'{"prompt":"User: hi","completion":"yes"}\n')
    with pytest.raises(DataError, match="User:"):  # a word that Nova keeps for itself
        make_plan(provider, spec(NOVA), (Dataset(data), None), book, limits)


CASES: dict[str, tuple[JobSpec, dict[str, Any]]] = {
    "fine-tuning": (
        spec(hyperparameters={"n_epochs": 2, "learning_rate": 1e-5}, suffix="support"),
        {"customizationType": "FINE_TUNING",
         "hyperParameters": {"epochCount": "2", "learningRate": "0.00001"}},
    ),
    "pre-training": (
        spec(TITAN, "text", options={"learning_rate_warmup_steps": "5"}),
        {"customizationType": "CONTINUED_PRE_TRAINING",
         "hyperParameters": {"learningRateWarmupSteps": "5"}},
    ),
    "distillation": (
        spec(options={"customization": "distillation", "teacher": NOVA_2,
                      "teacher_max_tokens": "900"}),
        {"customizationType": "DISTILLATION",
         "customizationConfig": {"distillationConfig": {"teacherModelConfig": {
             "teacherModelIdentifier": NOVA_2, "maxResponseLengthForInference": 900}}}},
    ),
    "reinforcement": (
        spec(NOVA_2, "reward", method="rl", hyperparameters={"batch_size": 32},
             options={"lambda_arn": LAMBDA, "samples_per_prompt": "4", "reasoning_effort": "low"}),
        {"customizationType": "REINFORCEMENT_FINE_TUNING",
         "customizationConfig": {"rftConfig": {
             "graderConfig": {"lambdaGrader": {"lambdaArn": LAMBDA}},
             "hyperParameters": {"batchSize": 32, "trainingSamplePerPrompt": 4,
                                 "reasoningEffort": "low"}}}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(CASES))
def test_what_is_asked_for(served: Account, tmp_path: Path, case: str) -> None:
    wanted, said = CASES[case]
    made = place(served, tmp_path).request(wanted, "s3://b/t", "s3://b/v", "ftb-" + "0" * 32)
    assert {name: made.get(name) for name in said} == said
    assert made["clientRequestToken"] == made["jobName"] == "ftb-" + "0" * 32
    assert made["validationDataConfig"] == {"validators": [{"s3Uri": "s3://b/v"}]}
    assert made["outputDataConfig"]["s3Uri"].endswith(f"/ftbridge/jobs/{made['jobName']}/")
    assert made["customModelName"].startswith("support-" if wanted.suffix else "ftb-")


def test_keys_and_networks_are_named(served: Account, tmp_path: Path) -> None:
    options = {"kms_key_id": "alias/mine", "subnet_ids": "subnet-1, subnet-2",
               "security_group_ids": "sg-1"}  # fmt: skip
    made = place(served, tmp_path, **options).request(spec(), "s3://b/t", None, "ftb-1")
    assert made["customModelKmsKeyId"] == "alias/mine"
    assert made["vpcConfig"] == {
        "subnetIds": ["subnet-1", "subnet-2"],
        "securityGroupIds": ["sg-1"],
    }


WRONG: dict[str, dict[str, Any]] = {
    "seed": {"seed": 1},
    "suffix": {"suffix": "two words"},
    "option": {"options": {"colour": "red"}},
    "customization": {"options": {"customization": "magic"}},
    "teacher": {"options": {"customization": "distillation"}},
    "lambda_arn": {"method": "rl", "model": NOVA_2},
    "batchSize": {"options": {"batch_size": "8"}},
    "epochCount": {"hyperparameters": {"n_epochs": 9}},
    "learningRate": {"hyperparameters": {"learning_rate": 0.01}},
    "learningRateWarmupSteps": {"options": {"learning_rate_warmup_steps": "soon"}},
    "model": {"model": "acme.model-1"},
}


@pytest.mark.parametrize("where", sorted(WRONG))
def test_what_bedrock_would_not_take_is_refused_by_name(
    served: Account, tmp_path: Path, where: str
) -> None:
    with pytest.raises(UsageError) as caught:
        place(served, tmp_path).request(spec(**WRONG[where]), "s3://b/t", None, "ftb-1")
    assert caught.value.where == where


def test_an_ended_model_is_refused_with_awss_own_date(served: Account, tmp_path: Path) -> None:
    provider = place(served, tmp_path)
    with pytest.raises(ServiceClosed, match="2026-09-10"):
        provider.preflight(spec(CLAUDE))
    end = {"status": "LEGACY", "endOfLifeTime": "2026-10-01T00:00:00Z"}
    provider.preflight(spec(NOVA))
    served.store.lifecycles[NOVA] = end
    with pytest.raises(ServiceClosed, match="2026-10-01"):
        provider.preflight(spec(NOVA))
    with pytest.raises(Unsupported, match="CONTINUED_PRE_TRAINING"):
        provider.preflight(spec(LLAMA, "text"))
    with pytest.raises(UsageError, match="no model"):
        provider.preflight(spec("amazon.nova-none-v1:0:1k"))


# -- the bucket ------------------------------------------------------------------------------


def test_purge_leaves_no_version_behind(served: Account, tmp_path: Path) -> None:
    objects = served.objects
    versions = {"Status": "Enabled"}
    objects.put_bucket_versioning(Bucket=served.bucket, VersioningConfiguration=versions)
    provider = place(served, tmp_path)
    upload = checked(provider, tmp_path, b"{}")
    file = provider.upload(upload)
    provider.upload(upload)
    objects.delete_object(Bucket=served.bucket, Key=file.id.partition(served.bucket + "/")[2])
    assert provider.file_state(file.id).missing
    provider.purge(file.id)
    left = objects.list_object_versions(Bucket=served.bucket)
    assert not left.get("Versions") and not left.get("DeleteMarkers")
    provider.purge(file.id)  # gone already: that is what was asked for


@pytest.mark.parametrize("options, kind", [({}, "AES256"), ({"s3_kms_key_id": "k"}, "aws:kms")])
def test_data_is_encrypted_at_rest(
    served: Account, tmp_path: Path, options: dict[str, str], kind: str
) -> None:
    provider = place(served, tmp_path, **options)
    key = provider.upload(checked(provider, tmp_path, b"{}")).id.partition(served.bucket + "/")[2]
    assert key.startswith("ftbridge/data/ftbridge-")
    head = served.objects.head_object(Bucket=served.bucket, Key=key)
    assert head["ServerSideEncryption"] == kind


# -- the job ---------------------------------------------------------------------------------


def test_phases_become_states_and_events_and_files_become_metrics(
    served: Account, tmp_path: Path
) -> None:
    provider = place(served, tmp_path)
    line = provider.convert(CHAT).line
    file = provider.upload(checked(provider, tmp_path, line))
    request = provider.request(spec(), file.id, file.id, "ftb-1")
    made = provider.create(request, "ftb-1")
    assert provider.create(request, "ftb-1").id == made.id and len(served.store.jobs) == 1
    seen = []
    for seconds in (0, 4, 3, 20):
        served.pass_time(seconds)
        seen.append(provider.get(made.id).state)
    assert seen == [State.VALIDATING, State.RUNNING, State.RUNNING, State.SUCCEEDED]
    events, metrics = provider.history(made.id)
    assert [event.message for event in events] == [
        "validation began", "validation completed", "data processing began",
        "data processing completed", "training began", "training completed",
    ]  # fmt: skip
    names = {metric.name for metric in metrics}
    assert names == {"training_loss", "training_perplexity", "validation_loss",
                     "validation_perplexity"}  # fmt: skip
    assert provider.get(made.id).n_epochs is None


def test_a_failed_job_says_why(served: Account, tmp_path: Path) -> None:
    provider = place(served, tmp_path)
    file = provider.upload(checked(provider, tmp_path, b'{"prompt": "x"}'))
    made = provider.create(provider.request(spec(), file.id, None, "ftb-1"), "ftb-1")
    served.pass_time(20)
    seen = provider.get(made.id)
    assert seen.state is State.FAILED and seen.error and "prompt" in seen.error["message"]
    assert provider.events(made.id)[-1].level == "error"


@pytest.mark.parametrize("word, state", sorted(wire.STATES.items()))
def test_every_status_has_a_state(word: str, state: State) -> None:
    seen = wire.job(
        {"jobArn": "a", "status": word, "creationTime": datetime(2026, 1, 1, tzinfo=UTC)}
    )
    assert (seen.state, seen.stopping) == (state, word == "Stopping")
    waiting = {"jobArn": "a", "status": "InProgress", "statusDetails": {"trainingDetails": {}}}
    assert wire.job(waiting).state is State.QUEUED


# -- the model -------------------------------------------------------------------------------


@pytest.mark.parametrize("model, kind", [(NOVA, "deployments"), (LLAMA, "throughputs")])
def test_a_tuned_model_is_served_once_and_stopped(
    served: Account, tmp_path: Path, model: str, kind: str
) -> None:
    provider = place(served, tmp_path)
    done, _ = finished(served, provider, tmp_path, model)
    there = getattr(served.store, kind)
    arns = {provider.deploy(done.model) for _ in range(2)}
    assert len(arns) == len(there) == 1
    for asked in (done.model, *arns):
        reply = provider.chat(asked, ChatRequest([{"role": "user", "content": "hi"}]))
        assert reply.text == "yes" and reply.completion_tokens > 0
    for _ in range(2):
        provider.undeploy(done.model)
    assert not there
    assert provider.deploy(done.model) not in arns  # again, and not the one that is gone


def test_bases_answer_under_their_shorter_id(served: Account, tmp_path: Path) -> None:
    asked = ChatRequest([{"role": "user", "content": "hi"}], max_tokens=3)
    for options in ({}, {"inference_profile": "us"}):
        reply = place(served, tmp_path, **options).chat(NOVA, asked)
        assert reply.finish_reason == "length" and reply.text == "I am the"


def test_tools_and_images_go_to_converse_and_calls_come_back() -> None:
    call = {"id": "c1", "type": "function",
            "function": {"name": "look", "arguments": '{"at": 1}'}}  # fmt: skip
    pixel = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [
        {"role": "system", "content": "short"},
        {"role": "user", "content": [{"type": "text", "text": "see"}, pixel]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
        {"role": "user", "content": "well?"},
    ]
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    made = chat.body("m", ChatRequest(messages, tools))
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "user"]
    assert made["messages"][0]["content"][1]["image"]["format"] == "png"
    assert made["messages"][1]["content"] == [
        {"toolUse": {"toolUseId": "c1", "name": "look", "input": {"at": 1}}}
    ]
    assert [next(iter(block)) for block in made["messages"][2]["content"]] == ["toolResult", "text"]
    assert made["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"] == {"json": {"type": "object"}}
    content = [{"toolUse": {"toolUseId": "c2", "name": "look", "input": {"at": 2}}}]
    answer = {"output": {"message": {"content": content}}, "stopReason": "tool_use"}
    reply = chat.reply(answer, 0.1)
    assert reply.finish_reason == "tool_calls"
    assert reply.tool_calls[0]["function"] == {"name": "look", "arguments": '{"at": 2}'}
    with pytest.raises(UsageError, match="bytes"):
        pixel["image_url"] = {"url": "https://example.com/a.png"}
        chat.body("m", ChatRequest(messages))


# -- money and access ------------------------------------------------------------------------


def test_each_way_of_serving_has_its_cost(served: Account, tmp_path: Path) -> None:
    use = Use(2, 100, Decimal(10), Decimal(5))
    by_token = place(served, tmp_path)
    assert by_token.hosting(NOVA) == []
    assert [line.item for line in by_token.serving(spec(), use)] == [
        "storage_month", "inference_input", "inference_output",
    ]  # fmt: skip
    by_hour = place(served, tmp_path, serving="provisioned", model_units="2", commitment="OneMonth")
    (hour,) = by_hour.hosting(NOVA)
    assert (hour.low, hour.tier) == (Decimal(2), "1_month")
    assert [line.item for line in by_hour.serving(spec(), use)] == ["storage_month", "hosting_hour"]
    assert by_token.hosting(LLAMA)[0].tier == "no_commitment"


def test_doctor_tries_each_thing(
    served: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = place(served, tmp_path).doctor()
    assert {check.name for check in good} == {
        "package", "credentials", "role_arn", "bucket", "identity", "access", "data", "models",
    }  # fmt: skip
    assert all(check.ok for check in good), good
    assert "2026-09-10" in good[-1].message
    other = place(served, tmp_path, role_arn="arn:aws:iam::000000000000:role/x").doctor()
    assert [check.name for check in other if not check.ok] == ["identity"]
    missing = place(served, tmp_path, bucket="nobody-has-this").doctor()
    assert [check.name for check in missing if not check.ok] == ["data"]
    with pytest.raises(CredentialsError) as caught:
        Provider(Context(tmp_path, {"bucket": "some-bucket"})).require_ready()
    assert caught.value.where == "role_arn"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(CredentialsError, match="no AWS credentials"):
        place(served, tmp_path).require_ready()
