"""What the adapters make of options, words and figures of SageMaker; nothing is asked here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ftbridge.cost.types import TokenCount
from ftbridge.dataset.types import Chat, Kind, Message, Preference, Reward
from ftbridge.errors import DataError, UsageError
from ftbridge.jobs.spec import DataRef, JobSpec
from ftbridge.jobs.states import State
from ftbridge.provider import Context, Provider
from ftbridge_sagemaker import ComputeProvider, serving, wire
from ftbridge_sagemaker import Provider as ManagedProvider
from ftbridge_sagemaker.compute.images import image_of
from ftbridge_sagemaker.convert import FORMAT

ROLE = "arn:aws:iam::123456789012:role/tuning"
PLACE = {"bucket": "own", "role_arn": ROLE, "region": "eu-west-1"}


def managed(**options: str) -> ManagedProvider:
    return ManagedProvider(Context(Path(), PLACE | options))


def compute(**options: str) -> ComputeProvider:
    return ComputeProvider(Context(Path(), PLACE | options))


def spec(provider: Provider, **changes: Any) -> JobSpec:
    training = DataRef(path="d", sha256="s", kind=Kind.CHAT, examples=12, bytes=10_000)
    model = provider.catalogue().default_model(changes.get("method", "sft"))
    base = {"provider": provider.name, "model": model, "adapter": "lora", "training": training}
    return JobSpec.model_validate(base | changes)


def asked(provider: Provider, **changes: Any) -> dict[str, Any]:
    return provider.request(spec(provider, **changes), "s3://own/f/files/a", None, "ftb-1")


class TestManagedRequest:
    def test_a_licence_is_never_accepted_by_leaving_something_out(self) -> None:
        assert "AcceptEula" not in asked(managed())["ServerlessJobConfig"]
        no = asked(managed(), options={"accept_eula": "false"})
        assert "AcceptEula" not in no["ServerlessJobConfig"]
        yes = asked(managed(), options={"accept_eula": "true"})
        assert yes["ServerlessJobConfig"]["AcceptEula"] is True
        with pytest.raises(UsageError, match="accept_eula"):
            asked(managed(), options={"accept_eula": "yes"})

    def test_names_become_arns_of_region_and_account(self) -> None:
        request = asked(managed(model_package_group="support"))
        base = request["ServerlessJobConfig"]["BaseModelArn"]
        assert base.startswith("arn:aws:sagemaker:eu-west-1:aws:hub-content/SageMakerPublicHub/")
        group = request["ModelPackageConfig"]["ModelPackageGroupArn"]
        assert group == "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/support"
        whole = "arn:aws:sagemaker:eu-west-1:aws:hub-content/Own/Model/mine/1.0.0"
        given = asked(managed(), model=whole)["ServerlessJobConfig"]["BaseModelArn"]
        assert given == whole

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"options": {"wheels": "4"}}, "option"),
            ({"options": {"sequence_length": "4096"}}, "sequence_length"),
            ({"options": {"model_package_group": "no group"}}, "model_package_group"),
            ({"options": {"evaluator_arn": "arn"}}, "evaluator_arn"),
            ({"method": "rl"}, "evaluator_arn"),
            ({"options": {"technique": "rlaif"}}, "technique"),
            ({"options": {"subnet_ids": "subnet-1"}}, "subnet_ids"),
            ({"options": {"role_arn": "tuning"}}, "role_arn"),
            ({"options": {"hours": "0"}}, "hours"),
            ({"seed": 7}, "seed"),
            ({"suffix": "mine"}, "suffix"),
            ({"model": "nova-textgeneration-lite-v2"}, "model"),
        ],
        ids=str,
    )
    def test_what_is_refused_is_named(self, changes: dict[str, Any], where: str) -> None:
        with pytest.raises(UsageError) as caught:
            asked(managed(), **changes)
        assert caught.value.where == where

    def test_an_endpoints_name_follows_from_its_model(self) -> None:
        arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/support/3"
        assert serving.name_of(arn) == "ftb-support-3"
        assert len(serving.name_of(arn.replace("support", "s" * 80))) == 63


class TestComputeRequest:
    def test_spot_has_checkpoints_and_a_wait(self) -> None:
        job = asked(compute(), options={"spot": "true", "hours": "2", "wait_hours": "3"})["job"]
        assert job["EnableManagedSpotTraining"] is True
        limits = {"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 18000}
        assert job["StoppingCondition"] == limits
        assert job["CheckpointConfig"] == {
            "S3Uri": "s3://own/ftbridge/jobs/ftb-1/out", "LocalPath": "/opt/ml/checkpoints",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("options", "where"),
        [
            ({"spot": "true", "keep_alive": "10"}, "keep_alive"),
            ({"keep_alive": "361"}, "keep_alive"),
            ({"wait_hours": "3"}, "wait_hours"),
            ({"volume_gb": "big"}, "volume_gb"),
            ({"role_arn": "tuning"}, "role_arn"),
            ({"security_group_ids": "sg-1"}, "subnet_ids"),
        ],
        ids=str,
    )
    def test_what_is_refused_is_named(self, options: dict[str, str], where: str) -> None:
        with pytest.raises(UsageError) as caught:
            asked(compute(), options=options)
        assert caught.value.where == where

    def test_the_cheapest_machine_that_holds_it_in_any_region(self) -> None:
        small = compute().machine(spec(compute(), model="Qwen/Qwen3-0.6B"))
        assert small.name == "ml.g4dn.xlarge" and small.gpus == 1
        larger = spec(compute(), model="meta-llama/Llama-3.1-8B-Instruct")
        assert compute().machine(larger).name not in ("", small.name)
        with pytest.raises(UsageError, match="surely holds"):
            compute().machine(spec(compute(), model="meta-llama/Llama-3.3-70B-Instruct"))

    def test_another_components_price_is_no_price(self) -> None:
        tokens = TokenCount(low=1000, high=1000, n_epochs=1, grade="estimated", counter="t")
        (line,) = compute().billing(spec(compute(), model="Qwen/Qwen3-0.6B"), tokens)
        assert (line.tier, line.region) == ("training", "eu-west-1")

    def test_the_image_lies_in_the_regions_registry(self) -> None:
        assert image_of("us-east-1").startswith("763104351884.dkr.ecr.us-east-1.amazonaws.com/")
        assert image_of("cn-north-1").startswith("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn")
        own = asked(compute(), options={"image": "me/own:1"})["job"]["AlgorithmSpecification"]
        assert own["TrainingImage"] == "me/own:1"


MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def described(status: str, secondary: str, **more: Any) -> Mapping[str, Any]:
    return {
        "TrainingJobName": "ftb-1", "TrainingJobStatus": status, "SecondaryStatus": secondary,
        "CreationTime": MOMENT, **more,
    }  # fmt: skip


class TestWords:
    @pytest.mark.parametrize(
        ("status", "secondary", "state", "raw"),
        [
            ("InProgress", "Starting", State.QUEUED, "InProgress/Starting"),
            ("InProgress", "Pending", State.QUEUED, "InProgress/Pending"),
            ("InProgress", "Training", State.RUNNING, "InProgress/Training"),
            ("InProgress", "Interrupted", State.RUNNING, "InProgress/Interrupted"),
            ("Stopping", "Stopping", State.RUNNING, "Stopping"),
            ("Deleting", "Completed", State.RUNNING, "Deleting/Completed"),
            ("Completed", "Completed", State.SUCCEEDED, "Completed"),
            ("Failed", "Failed", State.FAILED, "Failed"),
            ("Stopped", "Stopped", State.CANCELLED, "Stopped"),
            ("Stopped", "MaxRuntimeExceeded", State.FAILED, "Stopped/MaxRuntimeExceeded"),
            ("Stopped", "MaxWaitTimeExceeded", State.FAILED, "Stopped/MaxWaitTimeExceeded"),
            ("Dreaming", "Training", State.UNKNOWN, "Dreaming"),
        ],
    )
    def test_every_status(self, status: str, secondary: str, state: State, raw: str) -> None:
        seen = wire.job(described(status, secondary))
        assert (seen.state, seen.raw_state) == (state, raw)
        assert seen.stopping is (status == "Stopping")
        assert (seen.error is not None) is (state is State.FAILED)

    def test_figures(self) -> None:
        progress = {"TotalStepCountPerEpoch": 10, "MaxEpoch": 2, "CurrentStep": 5}
        seen = wire.job(described("InProgress", "Training", ProgressInfo=progress))
        assert seen.progress == 0.25 and seen.created_at == "2026-11-25T12:00:00.000Z"
        billed = wire.job(described("Completed", "Completed", BillableTimeInSeconds=61))
        assert billed.billed_seconds == Decimal(61)
        tokens = wire.job(described("Completed", "Completed", BillableTokenCount=1234))
        assert tokens.trained_tokens == 1234

    def test_why_it_failed(self) -> None:
        said = "AlgorithmError: out of memory, exit code: 1"
        failed = wire.job(described("Failed", "Failed", FailureReason=said))
        assert failed.error == {"code": "AlgorithmError", "message": said}
        over = wire.job(described("Stopped", "MaxRuntimeExceeded"))
        assert over.error and over.error["code"] == "MaxRuntimeExceeded"
        assert "hours" in over.error["message"]


def turns(*texts: str) -> list[Message]:
    roles = ("user", "assistant")
    return [Message(roles[index % 2], text) for index, text in enumerate(texts)]  # type: ignore[arg-type]


class TestLines:
    def test_a_pair_is_two_whole_conversations(self) -> None:
        pair = Preference(
            prompt=turns("a", "b", "c"), chosen=[Message("assistant", "x")],
            rejected=[Message("assistant", "y")],
        )  # fmt: skip
        found = FORMAT.encode(pair)
        assert found.losses == () and b'"prompt"' not in found.line
        assert FORMAT.decode(found.line) == pair
        with pytest.raises(DataError, match="same prompt"):
            FORMAT.decode(b'{"chosen":[{"role":"user","content":"a"}],"rejected":[]}'.replace(
                b'"rejected":[]', b'"rejected":[{"role":"user","content":"b"}]'))  # fmt: skip

    def test_a_reference_is_the_ground_truth(self) -> None:
        line = (
            b'{"prompt":[{"role":"user","content":"1+1?"}],'
            b'"reward_model":{"ground_truth":"2","style":"rule"},"data_source":"sums"}'
        )
        example = FORMAT.decode(line)
        assert isinstance(example, Reward)
        assert example.fields() == {"reference": "2", "data_source": "sums"}
        assert FORMAT.decode(FORMAT.encode(example).line) == example

    def test_what_it_cannot_carry_is_said(self) -> None:
        chat = Chat(messages=[Message("user", "a", name="Ann"), *turns("", "b")[1:]])
        assert FORMAT.encode(chat).losses == ("name_dropped",)
