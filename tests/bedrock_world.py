"""One emulated account of Bedrock, its S3, plain boto3 clients and its clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config
from starlette.applications import Starlette

from ftbridge.testing import s3
from ftbridge_bedrock.emulator import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, Store, shapes

START = 1_800_000_000.0
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tuning"
NOVA = "amazon.nova-lite-v1:0:300k"
NOVA_2 = "amazon.nova-2-lite-v1:0:256k"
LLAMA = "meta.llama3-1-8b-instruct-v1:0:128k"
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0:200k"
TITAN = "amazon.titan-text-express-v1:0:8k"
GRADER = {"lambdaGrader": {"lambdaArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:grade"}}


def nova_row(number: int) -> dict[str, Any]:
    return {
        "schemaVersion": "bedrock-conversation-2024",
        "messages": [
            {"role": "user", "content": [{"text": f"please translate word number{number}"}]},
            {"role": "assistant", "content": [{"text": f"word {number}"}]},
        ],
    }


def graded_row(number: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": f"add {number}"}], "reference_answer": number}


@dataclass
class World:
    """One emulated account, with a bucket of its own."""

    app: Starlette
    url: str
    s3: str
    bucket: str
    now: float = START
    made: list[Any] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Where an answer did not fit the service model; the fixture asserts that there is none."""

    @property
    def store(self) -> Store:
        store = self.app.state.store
        assert isinstance(store, Store)
        return store

    def client(self, service: str = "bedrock", **changes: Any) -> Any:
        """boto3's own client, without retries."""
        import boto3

        given = {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "config": Config(retries={"total_max_attempts": 1}),
        }
        client = boto3.session.Session().client(service, **given | changes)
        client.meta.events.register("before-parse", self._check)
        self.made.append(client)
        return client

    def _check(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        shape = operation_model.output_shape
        rest = operation_model.metadata["protocol"] == "rest-json"
        good = rest and response_dict["status_code"] < 300
        if good and shape and "payload" not in shape.serialization:
            answer = json.loads(response_dict["body"])
            name = operation_model.name
            self.faults += [f"{name}: {fault}" for fault in shapes.faults(shape, answer)]

    @property
    def storage(self) -> Any:
        return s3.client(self.s3)

    def put(self, key: str, rows: list[Any] | bytes) -> str:
        """Data in the bucket; its address."""
        content = rows if isinstance(rows, bytes) else "\n".join(map(json.dumps, rows)).encode()
        self.storage.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def request(self, name: str = "job-1", **changes: Any) -> dict[str, Any]:
        """A whole create request."""
        rows = [nova_row(number) for number in range(12)]
        return {
            "jobName": name,
            "customModelName": f"{name}-model",
            "roleArn": ROLE,
            "baseModelIdentifier": NOVA,
            "trainingDataConfig": {"s3Uri": self.put(f"in/{name}.jsonl", rows)},
            "outputDataConfig": {"s3Uri": f"s3://{self.bucket}/out/"},
        } | changes

    def create(self, name: str = "job-1", **changes: Any) -> str:
        answer = self.client().create_model_customization_job(**self.request(name, **changes))
        return str(answer["jobArn"])

    def get(self, identifier: str = "job-1") -> dict[str, Any]:
        found = self.client().get_model_customization_job(jobIdentifier=identifier)
        assert isinstance(found, dict)
        return found

    def finished(self, name: str = "job-1", **changes: Any) -> dict[str, Any]:
        """A completed job."""
        self.create(name, **changes)
        self.now += 20
        return self.get(name)
