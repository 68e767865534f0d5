"""The emulator of SageMaker through plain boto3: packages, the hub, endpoints, invocations."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker_world import IMAGE, ROLE, World


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


class TestPackages:
    def test_groups_are_named_once_and_deleted_empty(self, world: World) -> None:
        client = world.client()
        world.group()
        with pytest.raises(ClientError, match="already exists"):
            world.group()
        found = client.describe_model_package_group(ModelPackageGroupName="tuned")
        assert found["ModelPackageGroupStatus"] == "Completed"
        package = world.finished()["OutputModelPackageArn"]
        with pytest.raises(ClientError) as caught:
            client.delete_model_package_group(ModelPackageGroupName="tuned")
        assert code(caught) == "ConflictException"
        client.delete_model_package(ModelPackageName=package)
        client.delete_model_package_group(ModelPackageGroupName="tuned")
        with pytest.raises(ClientError, match="does not exist"):
            client.describe_model_package_group(ModelPackageGroupName="tuned")

    def test_every_job_adds_a_version(self, world: World) -> None:
        world.finished("job-1")
        world.finished("job-2")
        listed = world.client().list_model_packages(ModelPackageGroupName="tuned")
        versions = [each["ModelPackageVersion"] for each in listed["ModelPackageSummaryList"]]
        assert versions == [1, 2]
        package = world.client().describe_model_package(
            ModelPackageName=listed["ModelPackageSummaryList"][0]["ModelPackageArn"]
        )
        container = package["InferenceSpecification"]["Containers"][0]
        assert container["BaseModel"]["HubContentName"] == "huggingface-llm-qwen2-5-7b-instruct"
        source = container["ModelDataSource"]["S3DataSource"]["S3Uri"]
        assert source == f"s3://{world.bucket}/out/job-1/output/model/"


class TestTheHub:
    def test_a_model_says_what_it_takes(self, world: World) -> None:
        content = world.client().describe_hub_content(
            HubName="SageMakerPublicHub",
            HubContentType="Model",
            HubContentName="meta-textgeneration-llama-3-1-8b-instruct",
        )
        document = json.loads(content["HubContentDocument"])
        assert document["GatedBucket"] is True
        techniques = {each["CustomizationTechnique"] for each in document["RecipeCollection"]}
        assert techniques == {"SFT", "DPO", "RLVR", "RLAIF"}
        with pytest.raises(ClientError) as caught:
            world.client().describe_hub_content(
                HubName="SageMakerPublicHub", HubContentType="Model", HubContentName="none"
            )
        assert code(caught) == "ResourceNotFound"

    def test_it_can_be_listed(self, world: World) -> None:
        listed = world.client().list_hub_contents(
            HubName="SageMakerPublicHub", HubContentType="Model", NameContains="gpt-oss"
        )
        names = [each["HubContentName"] for each in listed["HubContentSummaries"]]
        assert names == ["openai-reasoning-gpt-oss-20b"]


class TestEndpoints:
    def deploy(self, world: World, container: dict[str, Any]) -> None:
        client = world.client()
        client.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {
            "VariantName": "all", "ModelName": "m", "InstanceType": "ml.g5.xlarge",
            "InitialInstanceCount": 1,
        }  # fmt: skip
        client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
        client.create_endpoint(EndpointName="e", EndpointConfigName="c")

    def ask(self, world: World, body: Any) -> Any:
        answer = world.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="e", ContentType="application/json", Body=json.dumps(body)
        )
        return json.loads(answer["Body"].read())

    def test_from_package_to_answer_and_away(self, world: World) -> None:
        package = world.finished()["OutputModelPackageArn"]
        self.deploy(world, {"ModelPackageName": package})
        client = world.client()
        question = "please translate word number7"
        chat = {"messages": [{"role": "user", "content": question}]}
        assert client.describe_endpoint(EndpointName="e")["EndpointStatus"] == "Creating"
        with pytest.raises(ClientError) as early:
            self.ask(world, chat)
        assert code(early) == "ValidationError"
        world.ahead += 6
        assert client.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"
        assert self.ask(world, chat)["choices"][0]["message"]["content"] == "word 7"
        assert self.ask(world, {"inputs": question}) == {"generated_text": "word 7"}
        with pytest.raises(ClientError) as wrong:
            self.ask(world, {"text": question})
        assert code(wrong) == "ModelError"
        client.delete_endpoint(EndpointName="e")
        assert client.list_endpoints()["Endpoints"][0]["EndpointStatus"] == "Deleting"
        world.ahead += 2
        assert client.list_endpoints()["Endpoints"] == []
        with pytest.raises(ClientError, match="Could not find endpoint"):
            client.describe_endpoint(EndpointName="e")
        client.delete_endpoint_config(EndpointConfigName="c")
        client.delete_model(ModelName="m")
        with pytest.raises(ClientError, match="Could not find model"):
            client.delete_model(ModelName="m")

    def test_names_are_taken_once(self, world: World) -> None:
        data = f"s3://{world.bucket}/out/job-1/output/model.tar.gz"
        container = {"Image": IMAGE, "ModelDataUrl": data}
        self.deploy(world, container)
        with pytest.raises(ClientError, match="already existing model"):
            self.deploy(world, container)
        with pytest.raises(ClientError, match="already existing endpoint"):
            world.client().create_endpoint(EndpointName="e", EndpointConfigName="c")
        with pytest.raises(ClientError, match="Could not find endpoint configuration"):
            world.client().create_endpoint(EndpointName="f", EndpointConfigName="gone")
        config = world.client().describe_endpoint_config(EndpointConfigName="c")
        assert config["ProductionVariants"][0]["ModelName"] == "m"
        assert world.client().describe_model(ModelName="m")["PrimaryContainer"] == container
        world.ahead += 6
        assert "sandbox" in self.ask(world, {"inputs": "hi"})["generated_text"]
