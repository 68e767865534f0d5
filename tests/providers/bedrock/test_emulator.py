"""The emulator by raw boto3: customization jobs, from the request to the metrics.

Every answer of every test is held against botocore's service model (``bedrock_world``).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from bedrock_world import (
    CLAUDE,
    GRADER,
    LLAMA,
    NOVA,
    NOVA_2,
    ROLE,
    TITAN,
    World,
    graded_row,
    nova_row,
)  # fmt: skip
from botocore.exceptions import ClientError

from ftbridge.testing.faults import Answers, DropAfter
from ftbridge.testing.proxy import Injector
from ftbridge_bedrock.emulator import BEARER


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def message(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Message"])


def post(world: World, path: str, body: Any) -> tuple[int, str, dict[str, Any]]:
    """A request that boto3 would not send, signed as it signs."""
    import urllib.error
    import urllib.request

    headers = {
        "authorization": f"AWS4-HMAC-SHA256 Credential=AKIDSANDBOX/20260101/us-east-1/bedrock/"
        f"aws4_request, SignedHeaders=host, Signature={'0' * 64}",
        "x-amz-date": "20260101T000000Z",
        "content-type": "application/json",
    }
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(world.url + path, content, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, "", json.load(answer)
    except urllib.error.HTTPError as error:
        kind = error.headers["x-amzn-errortype"].partition(":")[0]
        return error.code, kind, json.load(error)


# -- the life of a job -------------------------------------------------------------------------


def test_a_job_goes_through_its_phases(world: World) -> None:
    arn = world.create()
    seen = []
    for _ in range(4):
        job = world.get(arn)
        seen.append((job["status"], [each["status"] for each in job["statusDetails"].values()]))
        world.now += 5
    world.now += 5
    job = world.get("job-1")
    assert seen[0] == ("InProgress", ["InProgress", "NotStarted", "NotStarted"])
    assert seen[1] == ("InProgress", ["Completed", "InProgress", "NotStarted"])
    assert seen[2] == ("InProgress", ["Completed", "Completed", "InProgress"])
    assert job["status"] == "Completed" and job["jobArn"] == arn
    assert job["outputModelArn"] and job["trainingMetrics"]["trainingLoss"] > 0
    assert job["endTime"] > job["creationTime"] and job["validationDataConfig"] == {
        "validators": []
    }


def test_metrics_are_in_s3_when_the_job_is_seen_completed(world: World) -> None:
    check = world.put("in/check.jsonl", [nova_row(1)])
    job = world.finished(validationDataConfig={"validators": [{"s3Uri": check}]})
    root = f"out/model-customization-job-{job['jobArn'][-12:]}"
    for path, loss in (
        ("training_artifacts/step_wise_training_metrics.csv", "training_loss"),
        ("validation_artifacts/post_fine_tuning_validation/validation_metrics.csv",
         "validation_loss"),
    ):  # fmt: skip
        found = world.storage.get_object(Bucket=world.bucket, Key=f"{root}/{path}")
        head, *rows = found["Body"].read().decode().splitlines()
        assert head == f"step_number,epoch_number,{loss},perplexity" and rows
    assert len(job["validationMetrics"]) == 1


def test_stop_is_stopping_then_stopped_and_leaves_no_model(world: World) -> None:
    world.create()
    world.now += 8
    client = world.client()
    client.stop_model_customization_job(jobIdentifier="job-1")
    job = world.get()
    assert job["status"] == "Stopping"
    assert job["statusDetails"]["trainingDetails"]["status"] == "Stopping"
    world.now += 2
    assert world.get()["status"] == "Stopped" and "outputModelArn" not in world.get()
    with pytest.raises(ClientError) as caught:
        client.stop_model_customization_job(jobIdentifier="job-1")
    assert code(caught) == "ConflictException"
    assert client.list_custom_models()["modelSummaries"] == []


def test_bad_data_fails_the_validation_phase(world: World) -> None:
    bad = world.put("in/bad.jsonl", [nova_row(1), {"messages": []}])
    world.create(trainingDataConfig={"s3Uri": bad})
    world.now += 4
    job = world.get()
    assert job["status"] == "Failed" and "line 2" in job["failureMessage"]
    assert [each["status"] for each in job["statusDetails"].values()] == [
        "Failed", "NotStarted", "NotStarted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("customization", "base", "row"),
    [
        ("CONTINUED_PRE_TRAINING", TITAN, {"input": "some text"}),
        ("FINE_TUNING", LLAMA, {"prompt": "a", "completion": "b"}),
    ],
)
def test_each_type_reads_its_own_shape(
    world: World, customization: str, base: str, row: dict[str, Any]
) -> None:
    data = {"s3Uri": world.put("in/own.jsonl", [row] * 3)}
    done = world.finished(
        customizationType=customization, baseModelIdentifier=base, trainingDataConfig=data
    )
    assert (done["status"], done["customizationType"]) == ("Completed", customization)
    failed = world.finished("other", customizationType=customization, baseModelIdentifier=base)
    assert failed["status"] == "Failed"


def test_reinforcement_needs_a_grader_and_typed_hyperparameters(world: World) -> None:
    rows = [graded_row(number) for number in range(100)]
    few = {"s3Uri": world.put("in/few.jsonl", rows[:-1])}
    rft: dict[str, Any] = {
        "graderConfig": GRADER, "hyperParameters": {"epochCount": 2, "learningRate": 1e-5},
    }  # fmt: skip
    asked: dict[str, Any] = {
        "customizationType": "REINFORCEMENT_FINE_TUNING", "baseModelIdentifier": NOVA_2,
        "trainingDataConfig": {"s3Uri": world.put("in/rft.jsonl", rows)},
        "customizationConfig": {"rftConfig": rft},
    }  # fmt: skip
    assert world.finished(**asked)["status"] == "Completed"
    assert world.finished("few", **asked | {"trainingDataConfig": few})["status"] == "Failed"
    for wrong in (
        {"customizationConfig": {"rftConfig": {"hyperParameters": {"epochCount": 2}}}},
        {"customizationConfig": {"rftConfig": {**rft, "hyperParameters": {"batchSize": 4}}}},
        {"customizationConfig": {"rftConfig": {**rft, "hyperParameters": {"evalInterval": 101}}}},
        {"hyperParameters": {"epochCount": "2"}},
        {"baseModelIdentifier": NOVA},
    ):
        body = world.request("wrong", **asked | wrong) | {"clientRequestToken": "t"}
        assert post(world, "/model-customization-jobs", body)[:2] == (400, "ValidationException")


def test_distillation_needs_a_teacher(world: World) -> None:
    rows = {"s3Uri": world.put("in/prompts.jsonl", [nova_row(n) for n in range(100)])}
    teacher = {"teacherModelConfig": {"teacherModelIdentifier": "amazon.nova-pro-v1:0"}}
    asked = {"customizationType": "DISTILLATION", "trainingDataConfig": rows}
    config = {"customizationConfig": {"distillationConfig": teacher}}
    assert world.finished(**asked, **config)["status"] == "Completed"
    with pytest.raises(ClientError):
        world.create("bare", **asked)
    with pytest.raises(ClientError):
        world.create("sft", **config)


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"surprise": 1}, "ValidationException"),
        ({"jobName": "no spaces"}, "ValidationException"),
        ({"jobName": "n" * 64}, "ValidationException"),
        ({"jobName": 7}, "SerializationException"),
        ({"roleArn": "me"}, "ValidationException"),
        ({"customizationType": "DPO"}, "ValidationException"),
        ({"customizationType": "CONTINUED_PRE_TRAINING"}, "ValidationException"),
        ({"hyperParameters": {"epochCount": 3}}, "SerializationException"),
        ({"hyperParameters": {"epochCount": "6"}}, "ValidationException"),
        ({"hyperParameters": {"epochCount": "1.5"}}, "ValidationException"),
        ({"hyperParameters": {"learningRate": "fast"}}, "ValidationException"),
        ({"hyperParameters": {"batchSize": "8"}}, "ValidationException"),
        ({"trainingDataConfig": {"s3Uri": "file:///x"}}, "ValidationException"),
        ({"trainingDataConfig": {}}, "ValidationException"),
        ({"trainingDataConfig": {"s3Uri": "s3://no-such-bucket-here/x"}}, "ValidationException"),
        ({"outputDataConfig": {"s3Uri": "s3://no-such-bucket-here/x"}}, "ValidationException"),
        ({"baseModelIdentifier": "amazon.nova-lite-v1:0"}, "ValidationException"),
        ({"baseModelIdentifier": "acme.nothing-v1"}, "ValidationException"),
        ({"baseModelIdentifier": CLAUDE}, "ValidationException"),
        ({"jobTags": [{"key": "a"}]}, "ValidationException"),
        ({"vpcConfig": {"subnetIds": [], "securityGroupIds": ["sg-1"]}}, "ValidationException"),
        ({"customizationConfig": {}}, "ValidationException"),
    ],
)  # fmt: skip
def test_what_the_model_or_the_base_forbids(
    world: World, change: dict[str, Any], kind: str
) -> None:
    status, found, answer = post(world, "/model-customization-jobs", world.request() | change)
    assert (status, found) == (400, kind) and answer["message"]
    assert not world.store.jobs


def test_a_missing_member_is_named(world: World) -> None:
    body = world.request()
    del body["roleArn"]
    _, kind, answer = post(world, "/model-customization-jobs", body)
    assert kind == "ValidationException"
    assert answer["message"] == (
        "1 validation error detected: Value 'null' at 'roleArn' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_a_body_that_is_no_json_and_a_route_that_is_none(world: World) -> None:
    assert post(world, "/model-customization-jobs", b"{")[:2] == (400, "SerializationException")
    assert post(world, "/nothing", {})[:2] == (404, "UnknownOperationException")


def test_a_model_at_its_end_of_life_is_refused_before_that_it_is_not(world: World) -> None:
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    world.now = 1_780_000_000.0  # May 2026
    data = {"s3Uri": world.put("in/claude.jsonl", [row] * 3)}
    assert world.create(baseModelIdentifier=CLAUDE, trainingDataConfig=data)
    world.now = 1_790_000_000.0  # 2026-09-21
    with pytest.raises(ClientError) as caught:
        world.create("late", baseModelIdentifier=CLAUDE, trainingDataConfig=data)
    assert "end of its life" in message(caught)
    shown = world.client().get_foundation_model(modelIdentifier=CLAUDE)["modelDetails"]
    assert shown["modelLifecycle"]["status"] == "LEGACY"
    assert shown["modelLifecycle"]["endOfLifeTime"].isoformat().startswith("2026-09-10")


# -- nothing twice -----------------------------------------------------------------------------


def test_a_token_makes_one_job(world: World) -> None:
    asked = world.request(clientRequestToken="key-1")
    client = world.client()
    first = client.create_model_customization_job(**asked)["jobArn"]
    assert client.create_model_customization_job(**asked)["jobArn"] == first
    assert len(world.store.jobs) == 1
    with pytest.raises(ClientError) as caught:
        client.create_model_customization_job(**asked | {"jobName": "other"})
    assert code(caught) == "ConflictException"


def test_names_are_taken(world: World) -> None:
    world.create()
    with pytest.raises(ClientError) as caught:
        world.create()
    assert (code(caught), message(caught)) == (
        "ValidationException", "The provided job name is currently in use.",
    )  # fmt: skip
    with pytest.raises(ClientError) as caught:
        world.create("job-2", customModelName="job-1-model")
    assert code(caught) == "ValidationException"


def test_a_lost_answer_and_a_throttled_call(world: World) -> None:
    injector = Injector(world.url)
    with injector.serve() as url:
        client = world.client(endpoint_url=url)
        injector.on("POST", r"/model-customization-jobs$", DropAfter())
        asked = world.request(clientRequestToken="key-1")
        with pytest.raises(Exception, match=r"[Cc]onnection"):
            client.create_model_customization_job(**asked)
        assert len(world.store.jobs) == 1
        again = client.create_model_customization_job(**asked)["jobArn"]
        assert again == world.get()["jobArn"] and len(world.store.jobs) == 1
        injector.on("GET", r"/model-customization-jobs/", Answers(429, retry_after=1))
        with pytest.raises(ClientError) as caught:
            client.get_model_customization_job(jobIdentifier="job-1")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


# -- lists -------------------------------------------------------------------------------------


def test_lists_page_filter_and_order(world: World) -> None:
    for number in range(5):
        world.create(f"job-{number}")
        world.now += 1
    client = world.client()
    client.stop_model_customization_job(jobIdentifier="job-3")
    world.now += 2
    kind = "modelCustomizationJobSummaries"
    pages = client.get_paginator("list_model_customization_jobs").paginate(
        PaginationConfig={"PageSize": 2}, sortBy="CreationTime", sortOrder="Ascending"
    )
    assert [[row["jobName"] for row in each[kind]] for each in pages] == [
        ["job-0", "job-1"], ["job-2", "job-3"], ["job-4"],
    ]  # fmt: skip

    def names(**asked: Any) -> list[str]:
        found = client.list_model_customization_jobs(**asked)[kind]
        return [row["jobName"] for row in found]

    assert names(statusEquals="Stopped") == ["job-3"]
    assert names(nameContains="b-4") == ["job-4"]
    assert names()[0] == "job-4"
    created = world.get("job-2")["creationTime"]
    assert names(creationTimeAfter=created) == ["job-4", "job-3"]
    assert names(creationTimeBefore=created) == ["job-1", "job-0"]
    with pytest.raises(ClientError):
        names(maxResults=1001)
    with pytest.raises(ClientError):
        names(nextToken="nonsense")


def test_a_list_may_lag_while_get_finds_the_job(world: World) -> None:
    arn = world.create()
    world.store.lag_lists_until(arn[-12:], world.now + 5)
    kind = "modelCustomizationJobSummaries"
    assert world.client().list_model_customization_jobs()[kind] == []
    assert world.get()["jobArn"] == arn
    world.now += 6
    (row,) = world.client().list_model_customization_jobs()[kind]
    assert row["customModelName"] == "job-1-model" and "customModelArn" not in row


def test_tags_are_kept(world: World) -> None:
    arn = world.create(jobTags=[{"key": "ftbridge", "value": "k1"}])
    assert world.client().list_tags_for_resource(resourceARN=arn)["tags"] == [
        {"key": "ftbridge", "value": "k1"}
    ]


# -- who asks ----------------------------------------------------------------------------------


def test_credentials(world: World) -> None:
    for changes, kind in (
        ({"aws_access_key_id": "AKIDSTRANGER"}, "UnrecognizedClientException"),
        ({"region_name": "eu-west-1"}, "InvalidSignatureException"),
    ):
        with pytest.raises(ClientError) as caught:
            world.client(**changes).list_custom_models()
        assert code(caught) == kind
    identity = world.client("sts").get_caller_identity()
    assert (identity["Account"], ROLE.split(":")[4]) == ("123456789012", "123456789012")


def test_a_bearer_token_will_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", BEARER)
    assert world.client().list_custom_models()["modelSummaries"] == []
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "wrong")
    with pytest.raises(ClientError) as caught:
        world.client().list_custom_models()
    assert code(caught) == "AccessDeniedException"
