"""SageMaker training jobs as rented machines: our trainer in AWS's PyTorch container.

Sources: botocore 1.43.117 (sagemaker/2017-07-24), docs.aws.amazon.com sagemaker developer guide:
model-managed-spot-training, model-checkpoints, train-warm-pools, and the addresses of AWS's
containers in github.com/aws/sagemaker-python-sdk (seen 2026-11-25). Never run against the live
service: no account was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from ftbridge import bundle
from ftbridge.compute import ABSENT, Compute, Launch
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.dialects import aws
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.machines import Machine, choose, rental
from ftbridge.provider import Sandbox
from ftbridge.shapes import RemoteJob
from ftbridge_sagemaker import settings, wire
from ftbridge_sagemaker.compute.images import image_of
from ftbridge_sagemaker.jobs import SageMaker

ROOT = "/opt/ml"
OUT = f"{ROOT}/checkpoints"
"""What the service keeps in S3 while the container runs, and brings back to the next machine."""
INPUTS = ("bundle", "training", "validation")
VOLUME_GB, MOST_VOLUME_GB = 100, 16_384
MOST_KEEP_ALIVE_MINUTES = 360
WAIT_HOURS, MOST_HOURS = 24, 24 * 28


class SageMakerComputeProvider(SageMaker, Compute):
    """A training job of the classic kind, on demand or on spot capacity."""

    name = "sagemaker_compute"
    folder = Path(__file__).parent
    shared = folder.parent
    image = "pytorch-training"
    platform_options = (
        *settings.PLACE_OPTIONS, "volume_gb", "keep_alive", "wait_hours",
    )  # fmt: skip
    absent: ClassVar[Mapping[str, str]] = {
        name: sentence for name, sentence in ABSENT.items() if name != "delete"
    } | {"quote": "AWS names no price for a job; see the hours x price of the estimate"}

    # -- before the job ----------------------------------------------------------------------

    def machine(self, spec: JobSpec) -> Machine:
        """The instance type that was named, else the cheapest that surely holds the training.

        What an instance has is the same in every region and component, so all rows count here.
        """
        return choose(spec, _instances(), wanted=spec.options.get("machine"), region=None)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Modelled hours, at the price of training alone: another component's is none."""
        tier = "spot" if spec.options.get("spot") == "true" else "training"
        line = rental(spec, self.machine(spec), tokens)
        return [line.model_copy(update={"tier": tier, "region": self.region})]

    def job(self, launch: Launch) -> dict[str, Any]:
        """The arguments of ``create_training_job``."""
        options = {**self.context.options, **launch.options}
        store = self.store()
        channels = [settings.channel(INPUTS[0], store.address(f"{launch.inputs}/"))]
        files = []
        for name, file in zip(INPUTS[1:], launch.files, strict=False):
            channels.append(settings.channel(name, store.address(file)))
            files.append(f"{ROOT}/input/data/{name}")
        command = bundle.command(f"{ROOT}/input/data/{INPUTS[0]}", OUT, files, launch.machine.gpus)
        image = launch.image
        if image == self.image:
            image = image_of(aws.region(options))
        return {
            "TrainingJobName": launch.key,
            "RoleArn": settings.role(options),
            "AlgorithmSpecification": {
                "TrainingImage": image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": command[:2],
                "ContainerArguments": command[2:],
            },
            "InputDataConfig": channels,
            "OutputDataConfig": settings.output(
                store.address(f"jobs/{launch.key}/artifacts"), options
            ),
            "CheckpointConfig": {"S3Uri": store.address(launch.out), "LocalPath": OUT},
            "ResourceConfig": _resources(launch, options),
            "StoppingCondition": _limits(launch, options),
            "EnableManagedSpotTraining": launch.spot,
            "Tags": settings.tags(launch.key),
            **settings.network(options),
        }

    def launch(self, job: Mapping[str, Any], key: str) -> RemoteJob:
        """CreateTrainingJob."""
        return self.start(job)

    def look(self, remote_id: str) -> RemoteJob:
        """DescribeTrainingJob."""
        return wire.job(self.describe(remote_id))

    def stop(self, remote_id: str) -> RemoteJob:
        """StopTrainingJob."""
        return self.stop_job(remote_id)

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator beside this folder, which really trains, on a tiny model."""
        from ftbridge_sagemaker.emulator import sandbox

        return sandbox(cls.name)


@cache
def _instances() -> tuple[PriceRow, ...]:
    """The price list as a list of machines."""
    rows = PriceBook.load([Path(__file__).parent]).rows
    return tuple(row.model_copy(update={"tier": None, "region": None}) for row in rows)


def _resources(launch: Launch, options: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "InstanceType": launch.machine.name,
        "InstanceCount": 1,
        "VolumeSizeInGB": settings.whole(options, "volume_gb", VOLUME_GB, MOST_VOLUME_GB),
    }
    if kms := options.get("kms_key_id"):
        found["VolumeKmsKeyId"] = kms
    minutes = settings.whole(options, "keep_alive", None, MOST_KEEP_ALIVE_MINUTES)
    if minutes is not None:
        if launch.spot:
            raise UsageError(
                "a warm pool (keep_alive) does not go with spot capacity",
                hint="leave one of the two out",
                where="keep_alive",
            )
        found["KeepAlivePeriodInSeconds"] = minutes * 60
    return found


def _limits(launch: Launch, options: Mapping[str, str]) -> dict[str, int]:
    found = {"MaxRuntimeInSeconds": launch.seconds}
    wait = settings.whole(options, "wait_hours", WAIT_HOURS, MOST_HOURS)
    if launch.spot and wait is not None:  # the service counts waiting and running together
        found["MaxWaitTimeInSeconds"] = launch.seconds + wait * 3600
    elif "wait_hours" in options:
        raise UsageError(
            "only a job on spot capacity waits for it",
            hint="--option spot=true, or leave wait_hours out",
            where="wait_hours",
        )
    return found
