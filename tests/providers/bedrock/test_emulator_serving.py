"""The emulator by raw boto3: models, deployments, throughput, inference, import, sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bedrock_world import CLAUDE, LLAMA, NOVA, ROLE, World
from botocore.exceptions import ClientError

from ftbridge_bedrock.emulator import sandbox


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def ask(world: World, model: str, text: str, **more: Any) -> str:
    messages = [{"role": "user", "content": [{"text": text}]}]
    told = world.client("bedrock-runtime").converse(modelId=model, messages=messages, **more)
    return str(told["output"]["message"]["content"][0]["text"])


def deployed(world: World, name: str = "dep") -> str:
    model = world.finished()["outputModelArn"]
    arn = world.client().create_custom_model_deployment(modelDeploymentName=name, modelArn=model)
    world.now += 6
    return str(arn["customModelDeploymentArn"])


def test_models_are_listed_read_and_deleted(world: World) -> None:
    model = world.finished()["outputModelArn"]
    client = world.client()
    (row,) = client.list_custom_models(nameContains="job-1")["modelSummaries"]
    shown = client.get_custom_model(modelIdentifier=row["modelArn"])
    assert (row["modelArn"], shown["modelArn"]) == (model, model)
    assert shown["jobName"] == "job-1" and shown["trainingMetrics"]["trainingLoss"] > 0
    assert client.get_custom_model(modelIdentifier="job-1-model")["modelArn"] == model
    client.delete_custom_model(modelIdentifier=model)
    for act in (client.get_custom_model, client.delete_custom_model):
        with pytest.raises(ClientError) as caught:
            act(modelIdentifier=model)
        assert code(caught) == "ResourceNotFoundException"


def test_a_custom_model_can_be_tuned_further(world: World) -> None:
    model = world.finished()["outputModelArn"]
    assert world.finished("job-2", baseModelIdentifier=model)["status"] == "Completed"


def test_foundation_models_by_customization_and_life(world: World) -> None:
    client = world.client()
    tunable = client.list_foundation_models(byCustomizationType="FINE_TUNING")["modelSummaries"]
    assert {NOVA, LLAMA, CLAUDE} <= {row["modelId"] for row in tunable}
    served = client.list_foundation_models(byInferenceType="ON_DEMAND", byProvider="amazon")
    assert NOVA not in {row["modelId"] for row in served["modelSummaries"]}
    shown = client.get_foundation_model(modelIdentifier=NOVA)["modelDetails"]
    assert shown["modelLifecycle"]["status"] == "ACTIVE"
    world.store.lifecycles[NOVA] = {"status": "LEGACY", "endOfLifeTime": "2027-02-01T00:00:00Z"}
    shown = client.get_foundation_model(modelIdentifier=NOVA)["modelDetails"]
    assert shown["modelLifecycle"]["endOfLifeTime"].year == 2027
    with pytest.raises(ClientError) as caught:
        client.get_foundation_model(modelIdentifier="acme.nothing-v1:0")
    assert code(caught) == "ResourceNotFoundException"


def test_a_deployment_comes_up_answers_and_goes(world: World) -> None:
    model = world.finished()["outputModelArn"]
    client = world.client()
    asked = {"modelDeploymentName": "dep", "modelArn": model, "clientRequestToken": "t"}
    arn = client.create_custom_model_deployment(**asked)["customModelDeploymentArn"]
    assert client.create_custom_model_deployment(**asked)["customModelDeploymentArn"] == arn
    name = "customModelDeploymentIdentifier"
    assert client.get_custom_model_deployment(**{name: "dep"})["status"] == "Creating"
    with pytest.raises(ClientError):
        ask(world, arn, "please translate word number7")
    world.now += 6
    assert client.get_custom_model_deployment(**{name: arn})["status"] == "Active"
    assert ask(world, arn, "please translate word number7") == "word 7"
    (row,) = client.list_custom_model_deployments(modelArnEquals=model)["modelDeploymentSummaries"]
    assert row["customModelDeploymentName"] == "dep"
    with pytest.raises(ClientError) as caught:
        client.delete_custom_model(modelIdentifier=model)
    assert code(caught) == "ConflictException"
    client.delete_custom_model_deployment(**{name: arn})
    with pytest.raises(ClientError) as caught:
        client.get_custom_model_deployment(**{name: arn})
    assert code(caught) == "ResourceNotFoundException"
    client.delete_custom_model(modelIdentifier=model)


def test_not_every_base_is_served_on_demand(world: World) -> None:
    rows = [{"prompt": "say it", "completion": "so"}] * 3
    data = {"s3Uri": world.put("in/llama.jsonl", rows)}
    model = world.finished(baseModelIdentifier=LLAMA, trainingDataConfig=data)["outputModelArn"]
    client = world.client()
    with pytest.raises(ClientError) as caught:
        client.create_custom_model_deployment(modelDeploymentName="dep", modelArn=model)
    assert code(caught) == "ValidationException"
    asked = {"modelUnits": 1, "provisionedModelName": "pt", "modelId": model}
    arn = client.create_provisioned_model_throughput(**asked)["provisionedModelArn"]
    assert client.get_provisioned_model_throughput(provisionedModelId="pt")["status"] == "Creating"
    with pytest.raises(ClientError) as caught:
        ask(world, arn, "say it")
    assert code(caught) == "ModelNotReadyException"
    world.now += 9
    (row,) = client.list_provisioned_model_throughputs()["provisionedModelSummaries"]
    assert (row["status"], row["modelUnits"]) == ("InService", 1)
    assert row["foundationModelArn"].endswith(LLAMA)
    body = json.dumps({"prompt": "say it"})
    told = world.client("bedrock-runtime").invoke_model(modelId=arn, body=body)
    assert json.load(told["body"])["generation"] == "so"
    client.delete_provisioned_model_throughput(provisionedModelId=arn)
    assert client.list_provisioned_model_throughputs()["provisionedModelSummaries"] == []


def test_a_commitment_binds_and_units_have_a_quota(world: World) -> None:
    client = world.client()
    asked = {"modelUnits": 1, "provisionedModelName": "pt", "modelId": NOVA}
    many = asked | {"modelUnits": 5}
    with pytest.raises(ClientError) as caught:
        client.create_provisioned_model_throughput(**many)
    assert code(caught) == "ServiceQuotaExceededException"
    client.create_provisioned_model_throughput(**asked, commitmentDuration="OneMonth")
    with pytest.raises(ClientError) as caught:
        client.delete_provisioned_model_throughput(provisionedModelId="pt")
    assert code(caught) == "ConflictException"
    world.now += 31 * 86400
    client.delete_provisioned_model_throughput(provisionedModelId="pt")


def test_converse_takes_what_the_model_names(world: World) -> None:
    arn = deployed(world)
    told = world.client("bedrock-runtime").converse(
        modelId=arn,
        system=[{"text": "be brief"}],
        messages=[{"role": "user", "content": [{"text": "please translate word number3"}]}],
        inferenceConfig={"maxTokens": 1, "temperature": 0.0},
    )
    assert told["output"]["message"]["content"] == [{"text": "word"}]
    assert told["stopReason"] == "max_tokens" and told["usage"]["totalTokens"] > 0
    assert "base model" in ask(world, "us.amazon.nova-lite-v1:0", "hello")
    with pytest.raises(ClientError) as caught:
        ask(world, arn, "hello", inferenceConfig={"temperature": 1.5})
    assert code(caught) == "ValidationException"
    with pytest.raises(ClientError) as caught:
        ask(world, world.get()["outputModelArn"], "hello")
    assert code(caught) == "ValidationException"


@pytest.mark.parametrize(
    ("model", "body", "key"),
    [
        ("amazon.nova-lite-v1:0", {"messages": [{"role": "user", "content": [{"text": "a"}]}]},
         "output"),
        ("meta.llama3-1-8b-instruct-v1:0", {"prompt": "a"}, "generation"),
    ],
)  # fmt: skip
def test_invoke_speaks_each_familys_body(
    world: World, model: str, body: dict[str, Any], key: str
) -> None:
    client = world.client("bedrock-runtime")
    told = client.invoke_model(modelId=model, body=json.dumps(body))
    assert key in json.load(told["body"])
    with pytest.raises(ClientError) as caught:
        client.invoke_model(modelId=model, body=b"{}")
    assert code(caught) == "ValidationException"


def test_open_weights_are_imported(world: World) -> None:
    config = json.dumps({"architectures": ["LlamaForCausalLM"]}).encode()
    for name, content in (
        ("config.json", config), ("model.safetensors", b"x"), ("tokenizer.json", b"{}"),
    ):  # fmt: skip
        world.put(f"weights/{name}", content)
    client = world.client()
    asked = {
        "jobName": "import-1", "importedModelName": "mine", "roleArn": ROLE,
        "modelDataSource": {"s3DataSource": {"s3Uri": f"s3://{world.bucket}/weights/"}},
    }  # fmt: skip
    token = {"clientRequestToken": "t"}
    arn = client.create_model_import_job(**asked, **token)["jobArn"]
    assert client.create_model_import_job(**asked, **token)["jobArn"] == arn
    with pytest.raises(ClientError) as caught:
        client.create_model_import_job(**asked)
    assert "currently in use" in str(caught.value)
    assert client.get_model_import_job(jobIdentifier=arn)["status"] == "InProgress"
    world.now += 7
    done = client.get_model_import_job(jobIdentifier="import-1")
    model = done["importedModelArn"]
    assert client.list_model_import_jobs()["modelImportJobSummaries"][0]["status"] == "Completed"
    shown = client.get_imported_model(modelIdentifier="mine")
    assert (shown["modelArn"], shown["modelArchitecture"]) == (model, "LlamaForCausalLM")
    assert "imported model" in ask(world, model, "hello")
    client.delete_imported_model(modelIdentifier=model)
    assert client.list_imported_models()["modelSummaries"] == []


@pytest.mark.parametrize("lacking", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_import_names_the_file_that_is_not_there(world: World, lacking: str) -> None:
    config = json.dumps({"architectures": ["LlamaForCausalLM"]}).encode()
    for name in {"config.json", "model.safetensors", "tokenizer.json"} - {lacking}:
        world.put(f"weights/{name}", config)
    client = world.client()
    client.create_model_import_job(
        jobName="import-1", importedModelName="mine", roleArn=ROLE,
        modelDataSource={"s3DataSource": {"s3Uri": f"s3://{world.bucket}/weights"}},
    )  # fmt: skip
    world.now += 7
    failed = client.get_model_import_job(jobIdentifier="import-1")
    assert failed["status"] == "Failed"
    assert lacking.replace("model.", "*.") in failed["failureMessage"]


def test_the_sandbox_points_the_sdk_at_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    from ftbridge.testing.server import serve

    made = sandbox()
    with serve(made.app(100.0, 0.0)) as url:
        for name, value in made.variables(url).items():
            monkeypatch.setenv(name, value)
        session = boto3.session.Session()
        assert session.client("sts").get_caller_identity()["Account"] == "123456789012"
        bucket = made.variables(url)["FTBRIDGE_BEDROCK_BUCKET"]
        assert session.client("s3").list_objects_v2(Bucket=bucket)["Name"] == bucket
        assert session.client("bedrock").list_custom_models()["modelSummaries"] == []
        told = session.client("bedrock-runtime").converse(
            modelId="amazon.nova-lite-v1:0",
            messages=[{"role": "user", "content": [{"text": "hello"}]}],
        )
        assert told["stopReason"] == "end_turn"
