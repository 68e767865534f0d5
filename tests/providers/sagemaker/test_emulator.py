"""The emulator of SageMaker through plain boto3: training jobs of both kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
from sagemaker_world import LLAMA, QWEN, World, chat_row, until

from ftbridge import bundle
from ftbridge.jobs.spec import JobSpec
from ftbridge.recipes import recipe_of
from ftbridge.testing.faults import Answers, DropAfter
from ftbridge.testing.proxy import Injector
from ftbridge_sagemaker.emulator import once_it_has_a_checkpoint

IN, OUT = "/opt/ml/input/data/in", "/opt/ml/checkpoints"
WRITES = (
    "import os, sys; "
    "print('hello from', os.environ['TRAINING_JOB_NAME']); "
    "open(sys.argv[1] + '/weights', 'w').write(open(sys.argv[2]).read())"
)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def statuses(job: dict[str, Any]) -> list[str]:
    return [step["Status"] for step in job["SecondaryStatusTransitions"]]


class TestServerless:
    def test_from_create_to_a_package(self, world: World) -> None:
        client = world.client()
        made = client.create_training_job(**world.serverless())
        assert made["TrainingJobArn"].endswith(":training-job/job-1")
        assert world.get()["SecondaryStatus"] == "Starting"
        world.ahead += 10
        running = world.get()
        assert (running["TrainingJobStatus"], running["SecondaryStatus"]) == (
            "InProgress", "Training",
        )  # fmt: skip
        assert running["ProgressInfo"]["MaxEpoch"] == 2 and "BillableTokenCount" not in running
        world.ahead += 11
        done = world.get()
        assert done["TrainingJobStatus"] == "Completed" and done["BillableTokenCount"] > 0
        assert statuses(done) == [
            "Starting", "Downloading", "Training", "Uploading", "Completed",
        ]  # fmt: skip
        package = client.describe_model_package(ModelPackageName=done["OutputModelPackageArn"])
        assert package["ModelPackageVersion"] == 1
        assert world.keys("out/job-1/output/model/") != []

    def test_what_is_wrong_is_refused(self, world: World) -> None:
        for config, said in (
            ({"BaseModelArn": LLAMA}, "AcceptEula"),
            ({"BaseModelArn": LLAMA, "AcceptEula": False}, "AcceptEula"),
            ({"CustomizationTechnique": "RLVR"}, "EvaluatorArn"),
            ({"BaseModelArn": QWEN.replace("qwen2", "qwen9")}, "does not exist"),
            ({"SequenceLength": "3K"}, "SequenceLength"),
            ({"CustomizationTechnique": "MTRL"}, "enum"),
        ):
            with pytest.raises(ClientError, match=said) as caught:
                world.client().create_training_job(**world.serverless(**config))
            assert code(caught) == "ValidationException"
        accepted = world.serverless("job-2", BaseModelArn=LLAMA, AcceptEula=True)
        assert world.client().create_training_job(**accepted)

    def test_a_package_group_is_needed_and_must_be_there(self, world: World) -> None:
        request = world.serverless()
        del request["ModelPackageConfig"]
        with pytest.raises(ClientError, match="ModelPackageConfig"):
            world.client().create_training_job(**request)
        gone = {"ModelPackageGroupArn": world.store.arn("model-package-group", "gone")}
        with pytest.raises(ClientError, match="does not exist"):
            world.client().create_training_job(**request | {"ModelPackageConfig": gone})

    def test_the_modes_are_not_mixed(self, world: World) -> None:
        mixed = world.serverless() | {"EnableManagedSpotTraining": True}
        with pytest.raises(ClientError, match="EnableManagedSpotTraining"):
            world.client().create_training_job(**mixed)
        half = world.classic("job-2", "true")
        del half["ResourceConfig"]
        with pytest.raises(ClientError, match="ResourceConfig"):
            world.client().create_training_job(**half)

    def test_bad_data_fails_the_job(self, world: World) -> None:
        request = world.serverless()
        world.put("in/job-1.jsonl", [chat_row(0), {"messages": []}])
        world.client().create_training_job(**request)
        world.ahead += 21
        failed = world.get()
        assert failed["TrainingJobStatus"] == "Failed" and "line 2" in failed["FailureReason"]
        assert "OutputModelPackageArn" not in failed

    @pytest.mark.parametrize("technique", ["DPO", "RLAIF", "RLVR"])
    def test_the_other_techniques_read_their_data(self, world: World, technique: str) -> None:
        turn = {"role": "user", "content": "hi"}
        row = {
            "DPO": {"prompt": "hi", "chosen": "hello", "rejected": "go"},
            "RLVR": {"prompt": [turn], "reward_model": {"ground_truth": "hello", "style": "rule"}},
            "RLAIF": {"prompt": [turn]},
        }[technique]
        config = {"CustomizationTechnique": technique}
        if technique != "DPO":
            config["EvaluatorArn"] = "arn:aws:lambda:us-east-1:123456789012:function:grade"
        request = world.serverless(**config)
        world.put("in/job-1.jsonl", [row])
        world.client().create_training_job(**request)
        world.ahead += 21
        assert world.get()["TrainingJobStatus"] == "Completed"

    def test_stopping_takes_a_moment(self, world: World) -> None:
        world.client().create_training_job(**world.serverless())
        world.ahead += 10
        world.client().stop_training_job(TrainingJobName="job-1")
        assert world.get()["TrainingJobStatus"] == "Stopping"
        world.ahead += 2
        assert world.get()["SecondaryStatus"] == "Stopped"
        with pytest.raises(ClientError) as caught:
            world.client().stop_training_job(TrainingJobName="job-1")
        assert code(caught) == "ValidationException"


class TestNamesAndLists:
    def test_a_name_is_taken_until_its_job_is_deleted(self, world: World) -> None:
        client = world.client()
        world.finished()
        with pytest.raises(ClientError) as caught:
            client.create_training_job(**world.serverless())
        assert code(caught) == "ResourceInUse"
        client.delete_training_job(TrainingJobName="job-1")
        assert client.create_training_job(**world.serverless())
        with pytest.raises(ClientError) as busy:
            client.delete_training_job(TrainingJobName="job-1")
        assert code(busy) == "ResourceInUse"

    @pytest.mark.parametrize("as_modelled", [False, True])
    def test_what_is_not_there(self, world: World, as_modelled: bool) -> None:
        world.store.models_missing_as_modelled = as_modelled
        with pytest.raises(ClientError, match="Requested resource not found") as caught:
            world.get("gone")
        assert code(caught) == ("ResourceNotFound" if as_modelled else "ValidationException")

    def test_pages_filters_and_order(self, world: World) -> None:
        client = world.client()
        for number in range(5):
            client.create_training_job(**world.serverless(f"ftb-{number}"))
            world.ahead += 1
        pages = client.get_paginator("list_training_jobs").paginate(
            NameContains="ftb", SortBy="Name", PaginationConfig={"PageSize": 2}
        )
        names = [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]
        assert names == [["ftb-0", "ftb-1"], ["ftb-2", "ftb-3"], ["ftb-4"]]
        newest = client.list_training_jobs(SortOrder="Descending", MaxResults=1)
        assert newest["TrainingJobSummaries"][0]["TrainingJobName"] == "ftb-4"
        assert client.list_training_jobs(StatusEquals="Failed")["TrainingJobSummaries"] == []

    def test_a_list_may_lag(self, world: World) -> None:
        world.store.list_lag = 5
        world.client().create_training_job(**world.serverless())
        assert world.client().list_training_jobs()["TrainingJobSummaries"] == []
        assert world.get()["TrainingJobStatus"] == "InProgress"
        world.ahead += 6
        assert len(world.client().list_training_jobs()["TrainingJobSummaries"]) == 1

    def test_a_status_can_be_forced(self, world: World) -> None:
        world.finished()
        world.store.force_status("job-1", "InProgress", "Interrupted")
        assert world.get()["SecondaryStatus"] == "Interrupted"


class TestTheBorder:
    def test_the_model_is_asked(self, world: World) -> None:
        for changes in ({"RoleArn": "arn:aws:iam::1:role/short-account"}, {"Tags": [{}] * 51}):
            tags = [{"Key": "k", "Value": "v"} for _ in changes.get("Tags", ())]
            given = changes | ({"Tags": tags} if tags else {})
            with pytest.raises(ClientError) as caught:
                world.client().create_training_job(**world.serverless() | given)
            assert code(caught) == "ValidationException"

    def test_keys_and_regions(self, world: World) -> None:
        with pytest.raises(ClientError) as wrong:
            world.client(aws_access_key_id="AKIDOTHER").list_training_jobs()
        assert code(wrong) == "UnrecognizedClientException"
        with pytest.raises(ClientError) as elsewhere:
            world.client(region_name="eu-west-1").list_training_jobs()
        assert code(elsewhere) == "InvalidSignatureException"
        assert world.client("sts").get_caller_identity()["Account"] == "123456789012"

    def test_requests_are_recorded_by_operation(self, world: World) -> None:
        world.client().list_training_jobs(MaxResults=3)
        record = world.store.requests[-1]
        assert record.body == {
            "operation": "sagemaker:ListTrainingJobs",
            "input": {"MaxResults": 3},
        }

    def test_behind_the_fault_injector(self, world: World) -> None:
        injector = Injector(world.url)
        with injector.serve() as url:
            client = world.client(endpoint_url=url)
            injector.on("POST", "CreateTrainingJob$", DropAfter())
            with pytest.raises((EndpointConnectionError, HTTPClientError)):
                client.create_training_job(**world.serverless())
            with pytest.raises(ClientError) as caught:
                client.create_training_job(**world.serverless())
            assert code(caught) == "ResourceInUse"
            throttled = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
            injector.on("POST", "DescribeTrainingJob$", Answers(400, body=throttled))
            with pytest.raises(ClientError) as slow:
                client.describe_training_job(TrainingJobName="job-1")
            assert code(slow) == "ThrottlingException"


class TestOnAMachine:
    def test_channels_in_and_a_model_out(self, world: World) -> None:
        data = world.put("data/a.txt", b"the data")
        command = ("python", "-c", WRITES, "/opt/ml/model", f"{IN}/a.txt")
        request = world.classic("job-1", *command)
        request["InputDataConfig"] = [world.channel("in", data.rpartition("/")[0])]
        world.client().create_training_job(**request)
        done = world.ended("job-1")
        assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
        assert done["BillableTimeInSeconds"] >= 1 and done["TrainingTimeInSeconds"] >= 1
        artifacts = done["ModelArtifacts"]["S3ModelArtifacts"]
        assert artifacts == f"s3://{world.bucket}/out/job-1/output/model.tar.gz"
        assert world.keys("out/job-1/output/") == ["out/job-1/output/model.tar.gz"]
        logs = world.client("logs")
        group = "/aws/sagemaker/TrainingJobs"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="job-1/")
        stream = streams["logStreams"][0]["logStreamName"]
        events = logs.get_log_events(logGroupName=group, logStreamName=stream)
        assert [event["message"] for event in events["events"]] == ["hello from job-1"]

    def test_a_failure_has_the_containers_own_words(self, world: World) -> None:
        script = "import sys; open(sys.argv[1], 'w').write('no card'); sys.exit(3)"
        request = world.classic("job-1", "python", "-c", script, "/opt/ml/output/failure")
        world.client().create_training_job(**request)
        failed = world.ended("job-1")
        assert failed["TrainingJobStatus"] == "Failed"
        assert failed["FailureReason"] == "AlgorithmError: no card, exit code: 3"

    def test_stopped_and_out_of_time(self, world: World) -> None:
        sleep = ("python", "-c", "import time; time.sleep(600)")
        world.client().create_training_job(**world.classic("job-1", *sleep))
        until(lambda: world.get()["SecondaryStatus"] == "Training")
        world.client().stop_training_job(TrainingJobName="job-1")
        assert world.ended("job-1")["SecondaryStatus"] == "Stopped"
        world.client().create_training_job(**world.classic("job-2", *sleep))
        until(lambda: world.get("job-2")["SecondaryStatus"] == "Training")
        world.ahead += 700
        over = world.ended("job-2")
        assert (over["TrainingJobStatus"], over["SecondaryStatus"]) == (
            "Stopped", "MaxRuntimeExceeded",
        )  # fmt: skip

    def test_what_does_not_go_together(self, world: World) -> None:
        def refused(said: str, request: dict[str, Any]) -> None:
            with pytest.raises(ClientError, match=said) as caught:
                world.client().create_training_job(**request)
            assert code(caught) == "ValidationException"

        spot = world.classic("job-1", "true", spot=True)
        refused("MaxWaitTime", spot | {"StoppingCondition": {"MaxRuntimeInSeconds": 60}})
        short = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 30}
        refused("MaxWaitTime", spot | {"StoppingCondition": short})
        warm = spot["ResourceConfig"] | {"KeepAlivePeriodInSeconds": 60}
        refused("KeepAlive", spot | {"ResourceConfig": warm})
        plain = world.classic("job-1", "true")
        nothing = [world.channel("in", f"s3://{world.bucket}/nothing")]
        refused("No S3 objects", plain | {"InputDataConfig": nothing})
        gone = {"S3OutputPath": "s3://no-such-bucket-anywhere/out"}
        refused("S3OutputPath", plain | {"OutputDataConfig": gone})

    def test_a_spot_machine_is_replaced_and_finds_its_checkpoints(self, world: World) -> None:
        script = (
            "import os,sys,time; path = sys.argv[1] + '/sub/step';"
            " os.makedirs(os.path.dirname(path), exist_ok=True);"
            " seen = os.path.exists(path); open(path, 'w').write('1');"
            " [time.sleep(0.1) for _ in range(6000) if not seen]"
        )
        world.store.interrupts = lambda job, names: job.interruptions == 0 and "sub/step" in names
        request = world.classic("job-1", "python", "-c", script, OUT, spot=True)
        request["CheckpointConfig"] = {"S3Uri": f"s3://{world.bucket}/kept"}
        world.client().create_training_job(**request)
        done = world.ended("job-1")
        assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
        assert statuses(done) == [
            "Starting", "Downloading", "Training", "Interrupted", "Restarting", "Downloading",
            "Training", "Uploading", "Completed",
        ]  # fmt: skip
        assert world.keys("kept/") == ["kept/sub/step"]


@pytest.mark.training
@pytest.mark.long
@pytest.mark.timeout(600)
def test_our_trainer_survives_a_spot_machine(world: World) -> None:
    """The bundle as a channel, the run's folder as the checkpoints, a machine lost on the way."""
    world.put("files/train.jsonl", [chat_row(number) for number in range(24)])
    training = {"path": "t", "sha256": "0" * 64, "kind": "chat", "examples": 24, "bytes": 4000}
    spec = JobSpec.model_validate({
        "provider": "sagemaker_compute", "model": "acme/tiny-1m", "adapter": "lora",
        "training": training, "hyperparameters": {"n_epochs": 150, "batch_size": 2},
        "options": {"checkpoint_steps": "10", "threads": "1"},
    })  # fmt: skip
    for name, content in bundle.bundle(recipe_of(spec, "train.jsonl", None, ())).items():
        world.put(f"jobs/in/{name}", content)
    world.store.interrupts = once_it_has_a_checkpoint
    files = "/opt/ml/input/data/files"
    request = world.classic("job-1", *bundle.command(IN, OUT, [files], 1), spot=True)
    request["InputDataConfig"] = [
        world.channel("in", f"s3://{world.bucket}/jobs/in"),
        world.channel("files", f"s3://{world.bucket}/files"),
    ]
    request["CheckpointConfig"] = {"S3Uri": f"s3://{world.bucket}/jobs/out"}
    world.client().create_training_job(**request)
    done = world.ended("job-1")
    run = world.store.jobs["job-1"].run
    assert run is not None
    assert done["TrainingJobStatus"] == "Completed", run.log.read_text()
    assert "Interrupted" in statuses(done)
    keys = world.keys("jobs/out/")
    assert "jobs/out/adapter/adapter_model.safetensors" in keys
    read = world.storage.get_object(Bucket=world.bucket, Key="jobs/out/events.jsonl")["Body"].read()
    types = [json.loads(line)["type"] for line in read.splitlines()]
    assert "resumed" in types and types[-1] == "finished"
