"""One emulated account of SageMaker, its S3, plain boto3 clients and its clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.config import Config
from starlette.applications import Starlette

from ftbridge import clock
from ftbridge.testing import s3, service_model
from ftbridge_sagemaker.emulator import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, Store

ROLE = f"arn:aws:iam::{ACCOUNT}:role/tuning"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.9-gpu-py312"
HUB = "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model"
QWEN = f"{HUB}/huggingface-llm-qwen2-5-7b-instruct/1.0.0"
LLAMA = f"{HUB}/meta-textgeneration-llama-3-1-8b-instruct/1.0.0"
PATIENCE = 500
START = 1_800_000_000.0


def chat_row(number: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": f"please translate word number{number}"},
            {"role": "assistant", "content": f"word {number}"},
        ]
    }


def until(reached: Callable[[], bool]) -> None:
    """Wait for what a machine does."""
    deadline = clock.monotonic() + PATIENCE
    while not reached():
        assert clock.monotonic() < deadline
        clock.sleep(0.05)


@cache
def _session() -> Any:
    """One for all: a session reads the service's model anew."""
    import boto3

    return boto3.session.Session()


@cache
def _storage(url: str) -> Any:
    return s3.client(url)


@dataclass
class World:
    """One emulated account, with a bucket of its own. ``ahead``: how far its clock has gone."""

    app: Starlette
    url: str
    s3: str
    bucket: str
    ahead: float = 0.0
    made: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    def clock(self) -> float:
        return START + self.ahead

    def client(self, service: str = "sagemaker", **changes: Any) -> Any:
        """boto3's own client, without retries; answers are held to the model."""
        key = f"{service} {sorted(changes.items())}"
        if key in self.made:
            return self.made[key]
        given = {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "config": Config(retries={"total_max_attempts": 1}),
        }
        client = _session().client(service, **given | changes)
        client.meta.events.register("before-parse", self._check)
        self.made[key] = client
        return client

    def _check(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        shape = operation_model.output_shape
        protocol = operation_model.service_model.metadata["protocol"]
        if protocol == "json" and response_dict["status_code"] < 300 and shape:
            name = operation_model.name
            found = service_model.faults(shape, json.loads(response_dict["body"]))
            self.faults += [f"{name}: {fault.text}" for fault in found]

    @property
    def storage(self) -> Any:
        return _storage(self.s3)

    def put(self, key: str, rows: list[Any] | bytes) -> str:
        """Data in the bucket; its address."""
        content = rows if isinstance(rows, bytes) else "\n".join(map(json.dumps, rows)).encode()
        self.storage.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def keys(self, prefix: str) -> list[str]:
        found = self.storage.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", ())]

    def get(self, name: str = "job-1") -> dict[str, Any]:
        found = self.client().describe_training_job(TrainingJobName=name)
        assert isinstance(found, dict)
        return found

    def channel(self, name: str, uri: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": uri}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    def group(self, name: str = "tuned") -> str:
        answer = self.client().create_model_package_group(ModelPackageGroupName=name)
        return str(answer["ModelPackageGroupArn"])

    def serverless(self, name: str = "job-1", **config: Any) -> dict[str, Any]:
        """A whole request for a serverless job."""
        group = self.store.arn("model-package-group", "tuned")
        if "tuned" not in self.store.groups:
            self.group()
        data = self.put(f"in/{name}.jsonl", [chat_row(number) for number in range(12)])
        return {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "InputDataConfig": [self.channel("train", data)],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out/"},
            "ModelPackageConfig": {"ModelPackageGroupArn": group},
            "HyperParameters": {"max_epochs": "2"},
            "ServerlessJobConfig": {
                "BaseModelArn": QWEN,
                "JobType": "FineTuning",
                "CustomizationTechnique": "SFT",
                "Peft": "LORA",
            }
            | config,
        }

    def finished(self, name: str = "job-1") -> dict[str, Any]:
        """A serverless job that has completed."""
        self.client().create_training_job(**self.serverless(name))
        self.ahead += 21
        return self.get(name)

    def classic(self, name: str, *command: str, spot: bool = False) -> dict[str, Any]:
        """A whole request for a job on an instance."""
        limits = {"MaxRuntimeInSeconds": 600} | ({"MaxWaitTimeInSeconds": 900} if spot else {})
        return {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": list(command),
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {
                "InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50,
            },
            "StoppingCondition": limits,
            "EnableManagedSpotTraining": spot,
        }  # fmt: skip

    def ended(self, name: str) -> dict[str, Any]:
        """A classic job once it has ended."""
        until(lambda: self.get(name)["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"))
        return self.get(name)
