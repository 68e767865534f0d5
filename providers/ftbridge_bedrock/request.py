"""The create request as boto3 takes it. Nothing here opens a connection.

From botocore 1.43.117, CreateModelCustomizationJob (seen 2026-11-25): hyperparameters are strings,
except those of reinforcement fine-tuning, which are numbers in ``rftConfig``. The key is the job's
name and its ``clientRequestToken``: AWS answers a repeated one with the job that it made.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ftbridge.dataset.types import Kind
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge_bedrock import families, settings

TYPES = ("fine_tuning", "distillation")
NAMES = {"n_epochs": "epochCount", "batch_size": "batchSize", "learning_rate": "learningRate"}
MARK = 12
"""Characters of the key at the end of a model's name: names are unique in an account."""


def customization(spec: JobSpec) -> str:
    """The vendor's word for what the job does."""
    chosen = spec.options.get("customization", "fine_tuning")
    if chosen not in TYPES:
        raise UsageError(
            f"option customization: `{chosen}` is none of {', '.join(TYPES)}",
            hint="continued pre-training follows from text data, reinforcement from --method rl",
            where="customization",
        )
    if spec.method is Method.RL:
        return "REINFORCEMENT_FINE_TUNING"
    if spec.training.kind is Kind.TEXT:
        return "CONTINUED_PRE_TRAINING"
    return chosen.upper()


def create_request(
    spec: JobSpec, options: Mapping[str, str], training: str, validation: str | None, key: str
) -> dict[str, Any]:
    """The arguments of ``create_model_customization_job``.

    Args:
        options: of flags, environment and settings together.
        training, validation: ``s3://`` addresses.

    Raises:
        UsageError: an option or hyperparameter that Bedrock does not take so.
    """
    settings.require_known(spec.options)
    _check(spec)
    kind = customization(spec)
    bucket = options.get("bucket", "<bucket>")
    request: dict[str, Any] = {
        "jobName": key,
        "customModelName": _model_name(spec, key),
        "roleArn": options.get("role_arn", "<role_arn>"),
        "clientRequestToken": key,
        "baseModelIdentifier": spec.options.get("start_from", spec.model),
        "customizationType": kind,
        "trainingDataConfig": {"s3Uri": training},
        "outputDataConfig": {"s3Uri": f"s3://{bucket}/{settings.prefix(options)}/jobs/{key}/"},
    }
    if validation is not None:
        request["validationDataConfig"] = {"validators": [{"s3Uri": validation}]}
    if "kms_key_id" in options:
        request["customModelKmsKeyId"] = options["kms_key_id"]
    request |= _network(options)
    if kind == "REINFORCEMENT_FINE_TUNING":
        request["customizationConfig"] = {"rftConfig": _reinforcement(spec)}
    else:
        if kind == "DISTILLATION":
            request["customizationConfig"] = {"distillationConfig": _distillation(spec)}
        if chosen := hyperparameters(spec):
            request["hyperParameters"] = chosen
    return request


def _check(spec: JobSpec) -> None:
    if spec.seed is not None:
        raise UsageError("bedrock takes no seed", hint="leave --seed out", where="seed")
    if spec.suffix is not None and not settings.SUFFIX.fullmatch(spec.suffix):
        raise UsageError(
            f"suffix `{spec.suffix}`: letters and digits with single - or _ between",
            hint="it becomes part of the model's name",
            where="suffix",
        )
    distils = spec.options.get("customization") == "distillation"
    if distils is not ("teacher" in spec.options):
        raise UsageError(
            "a distillation needs a teacher, and only a distillation takes one",
            hint="--option customization=distillation --option teacher=MODEL",
            where="teacher",
        )
    if (spec.method is Method.RL) is not ("lambda_arn" in spec.options):
        raise UsageError(
            "bedrock's only grader is a Lambda function of yours, and only rl takes it",
            hint="--method rl --option lambda_arn=ARN",
            where="lambda_arn",
        )


def _model_name(spec: JobSpec, key: str) -> str:
    return f"{spec.suffix}-{key[-MARK:]}" if spec.suffix else key


def _network(options: Mapping[str, str]) -> dict[str, Any]:
    subnets = settings.listed(options.get("subnet_ids", ""))
    groups = settings.listed(options.get("security_group_ids", ""))
    if bool(subnets) is not bool(groups):
        raise UsageError(
            "a VPC needs both options, subnet_ids and security_group_ids",
            where="subnet_ids",
        )
    if not subnets:
        return {}
    return {"vpcConfig": {"subnetIds": subnets, "securityGroupIds": groups}}


def hyperparameters(spec: JobSpec) -> dict[str, str]:
    """What was set, under the vendor's names, as strings; checked for the model's family.

    Raises:
        UsageError: the family does not take it, or not so.
    """
    family = families.of(spec.options.get("start_from", spec.model))
    given: dict[str, Any] = {NAMES[name]: x for name, x in spec.hyperparameters.given().items()}
    for option, name in settings.HYPER_OPTIONS.items():
        if option in spec.options:
            given[name] = spec.options[option]
    return {name: _value(family, name, value) for name, value in given.items()}


def _value(family: families.Family, name: str, value: Any) -> str:
    if name not in family.takes:
        raise UsageError(
            f"{family.name} models on Bedrock take no {name}",
            hint=f"they take: {', '.join(family.takes)}",
            where=name,
        )
    span = family.takes[name]
    try:
        number = int(value) if span.whole else float(value)
    except ValueError:
        number = float("nan")
    if not span.low <= number <= span.high:
        raise UsageError(
            f"{name} {value} is outside {span.low:g} to {span.high:g} for {family.name} models",
            hint="change it",
            where=name,
            code="out_of_range",
        )
    return str(number) if span.whole else _plain(number)


def _plain(number: float) -> str:
    """Without an exponent, as AWS's examples write it."""
    return format(Decimal(str(number)).normalize(), "f")


def _distillation(spec: JobSpec) -> dict[str, Any]:
    teacher: dict[str, Any] = {"teacherModelIdentifier": spec.options["teacher"]}
    if "teacher_max_tokens" in spec.options:
        most = settings.whole("teacher_max_tokens", spec.options["teacher_max_tokens"])
        teacher["maxResponseLengthForInference"] = most
    return {"teacherModelConfig": teacher}


def _reinforcement(spec: JobSpec) -> dict[str, Any]:
    chosen = {NAMES[name]: value for name, value in spec.hyperparameters.given().items()}
    for option, name in settings.REWARD_OPTIONS.items():
        if option in spec.options:
            chosen[name] = settings.whole(option, spec.options[option])
    if "reasoning_effort" in spec.options:
        chosen["reasoningEffort"] = spec.options["reasoning_effort"]
    config: dict[str, Any] = {
        "graderConfig": {"lambdaGrader": {"lambdaArn": spec.options["lambda_arn"]}}
    }
    return {**config, "hyperParameters": chosen} if chosen else config
