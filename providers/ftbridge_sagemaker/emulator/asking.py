"""What must hold for a create that the service model does not say.

Both modes in one request, or half of one; spot without its wait; EULA; names that do not exist.
Unverified: every sentence, and that data which is not there is refused at once.
"""

from __future__ import annotations

from typing import Any

from . import hub
from .bucket import Unreadable
from .errors import ApiError, invalid
from .store import Emulator

CLASSIC = ("AlgorithmSpecification", "ResourceConfig", "EnableManagedSpotTraining", "RetryStrategy",
           "CheckpointConfig")  # fmt: skip
SERVERLESS = ("ModelPackageConfig", "MlflowConfig")


def check(emulator: Emulator, body: dict[str, Any]) -> None:
    """Raises what the service would answer."""
    if "ServerlessJobConfig" in body:
        _refuse(body, CLASSIC, "a serverless job")
        _serverless(emulator, body)
    else:
        _refuse(body, SERVERLESS, "a job on instances")
        _classic(body)
    _data(emulator, body)
    try:
        emulator.store.bucket.keys(body["OutputDataConfig"]["S3OutputPath"])
    except Unreadable as error:
        raise invalid(f"S3OutputPath: {error}") from None


def _refuse(body: dict[str, Any], names: tuple[str, ...], what: str) -> None:
    for name in names:
        if name in body:
            raise invalid(f"{name} does not go with {what}")


def _classic(body: dict[str, Any]) -> None:
    for name in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if name not in body:
            raise invalid(f"{name} is required unless ServerlessJobConfig is given")
    algorithm, resources = body["AlgorithmSpecification"], body["ResourceConfig"]
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise invalid("Specify exactly one of TrainingImage and AlgorithmName")
    if algorithm["TrainingInputMode"] == "Pipe":
        raise invalid("this sandbox has no Pipe mode")
    if "ContainerEntrypoint" not in algorithm:
        raise invalid("this sandbox runs no images: give ContainerEntrypoint")
    if resources.get("InstanceCount") != 1 or "InstanceType" not in resources:
        raise invalid("this sandbox has one instance a job: InstanceType, and InstanceCount 1")
    if resources.get("VolumeSizeInGB", 0) < 1:
        raise invalid("VolumeSizeInGB must be at least 1")
    if "MaxRuntimeInSeconds" not in body["StoppingCondition"]:
        raise invalid("StoppingCondition.MaxRuntimeInSeconds is required")
    _spot(body)


def _spot(body: dict[str, Any]) -> None:
    """docs.aws.amazon.com sagemaker model-managed-spot-training, train-warm-pools."""
    limits, spot = body["StoppingCondition"], body.get("EnableManagedSpotTraining", False)
    wait = limits.get("MaxWaitTimeInSeconds")
    if not spot and wait is not None:
        raise invalid("MaxWaitTimeInSeconds goes with EnableManagedSpotTraining alone")
    if spot and (wait is None or wait < limits["MaxRuntimeInSeconds"]):
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        )
    if spot and body["ResourceConfig"].get("KeepAlivePeriodInSeconds"):
        raise invalid("KeepAlivePeriodInSeconds does not go with managed spot training")


def _serverless(emulator: Emulator, body: dict[str, Any]) -> None:
    config = body["ServerlessJobConfig"]
    if config["JobType"] != "FineTuning":
        raise invalid("this sandbox has no evaluation jobs")
    content = hub.by_arn(config["BaseModelArn"])
    if content is None:
        raise invalid(f"Hub content {config['BaseModelArn']} does not exist")
    technique = config.get("CustomizationTechnique")
    if technique not in content.techniques:
        raise invalid(f"{content.name} cannot be customized with {technique}")
    if content.gated and config.get("AcceptEula") is not True:
        raise invalid(f"The model {content.name} requires AcceptEula to be True")
    if technique in ("RLVR", "RLAIF") and "EvaluatorArn" not in config:
        raise invalid(f"{technique} requires EvaluatorArn")
    if "SequenceLength" in config and config["SequenceLength"] not in hub.LENGTHS:
        raise invalid(f"SequenceLength must be one of {', '.join(hub.LENGTHS)}")
    if not body.get("InputDataConfig"):
        raise invalid("InputDataConfig is required")
    _package(emulator, body)


def _package(emulator: Emulator, body: dict[str, Any]) -> None:
    config, store = body.get("ModelPackageConfig"), emulator.store
    if config is None:
        raise invalid("ModelPackageConfig is required for a serverless job")
    group = config["ModelPackageGroupArn"]
    if all(each.arn != group for each in store.groups.values()):
        raise invalid(f"Model Package Group {group} does not exist")
    source = config.get("SourceModelPackageArn")
    if source is not None and source not in store.packages:
        raise invalid(f"Model Package {source} does not exist")


def _data(emulator: Emulator, body: dict[str, Any]) -> None:
    names = [channel["ChannelName"] for channel in body.get("InputDataConfig", ())]
    if len(set(names)) != len(names):
        raise invalid("Channel names must be unique")
    for channel in body.get("InputDataConfig", ()):
        source = channel["DataSource"]
        if list(source) != ["S3DataSource"]:
            raise invalid("this sandbox has no data but that of S3DataSource")
        uri = source["S3DataSource"]["S3Uri"]
        try:
            found = emulator.store.bucket.keys(uri)
        except Unreadable as error:
            raise _nothing(str(error)) from None
        if not found:
            raise _nothing(uri)


def _nothing(uri: str) -> ApiError:
    return invalid(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
        "the bucket exists in the selected region and that objects exist under that S3 prefix."
    )
