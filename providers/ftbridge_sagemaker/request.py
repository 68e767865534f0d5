"""The create request of a serverless job as boto3 takes it. Nothing here opens a connection.

Sources: CreateTrainingJob of botocore 1.43.117; github.com/aws/sagemaker-python-sdk,
sagemaker-train (channels ``train`` and ``validation``, hyperparameters as a bounded map of
overrides; seen 2026-11-25). The names of hyperparameters are a recipe's own: those here are of its
open models' recipes, unverified for each; further ones go through as ``--option hp_NAME=VALUE``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ftbridge.dialects import aws
from ftbridge.errors import UsageError
from ftbridge.jobs.spec import Adapter, JobSpec, Method
from ftbridge_sagemaker import settings

HUB = "SageMakerPublicHub"
NAMES = {
    "n_epochs": "max_epochs",
    "batch_size": "global_batch_size",
    "learning_rate": "learning_rate",
    "lora_alpha": "lora_alpha",
}
TECHNIQUES = {Method.SFT: "SFT", Method.DPO: "DPO", Method.RL: "RLVR"}
LENGTH = re.compile(r"[1-9]\d*K")
PASSED = "hp_"
OPTIONS = frozenset({
    *settings.PLACE_OPTIONS, "accept_eula", "model_package_group", "source_model_package",
    "technique", "evaluator_arn", "sequence_length", "mlflow_arn", "mlflow_experiment", "hours",
    "instance", "deploy_seconds",
})  # fmt: skip
MOST_HOURS = 24 * 28


def create_request(
    spec: JobSpec, options: Mapping[str, str], files: Mapping[str, str], output: str, key: str
) -> dict[str, Any]:
    """The arguments of ``create_training_job``.

    Args:
        options: of flags, environment and settings together.
        files: the channels' addresses, by name.
        output: the address below which the model goes.

    Raises:
        UsageError: an option or setting that SageMaker does not take so.
    """
    _check(spec)
    request: dict[str, Any] = {
        "TrainingJobName": key,
        "RoleArn": settings.role(options),
        "InputDataConfig": [settings.channel(name, uri) for name, uri in files.items()],
        "OutputDataConfig": settings.output(output, options),
        "ServerlessJobConfig": _serverless(spec, options),
        "ModelPackageConfig": _package(options),
        "Tags": settings.tags(key),
        **settings.network(options),
    }
    if "mlflow_arn" in options:
        request["MlflowConfig"] = _mlflow(options, key)
    if chosen := hyperparameters(spec):
        request["HyperParameters"] = chosen
    hours = settings.whole(options, "hours", None, MOST_HOURS)
    if hours is not None:
        request["StoppingCondition"] = {"MaxRuntimeInSeconds": hours * 3600}
    return request


def _check(spec: JobSpec) -> None:
    unknown = sorted(
        name for name in spec.options if name not in OPTIONS and not name.startswith(PASSED)
    )
    if unknown:
        raise UsageError(
            f"sagemaker takes no option {', '.join(unknown)}",
            hint=f"it takes: {', '.join(sorted(OPTIONS))}, and {PASSED}NAME for a hyperparameter "
            "of the recipe",
            where="option",
        )
    for name in ("seed", "suffix"):
        if getattr(spec, name) is not None:
            raise UsageError(f"sagemaker takes no {name}", hint=f"leave --{name} out", where=name)


def base_arn(model: str, region: str) -> str:
    """The hub content's ARN: of a name, of AWS's public hub. The service takes its latest version
    whatever is written.

    Raises:
        UsageError: a Nova model, whose lines are Bedrock's.
    """
    if "nova-" in model.rpartition("/Model/")[2] or model.startswith("nova-"):
        raise UsageError(
            f"{model} takes Bedrock's lines, which this provider does not write",
            hint="tune Nova with --provider bedrock",
            where="model",
        )
    if model.startswith("arn:"):
        return model
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    return f"arn:{partition}:sagemaker:{region}:aws:hub-content/{HUB}/Model/{model}"


def _serverless(spec: JobSpec, options: Mapping[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "BaseModelArn": base_arn(spec.model, aws.region(options)),
        "JobType": "FineTuning",
        "CustomizationTechnique": _technique(spec),
    }
    if spec.adapter is Adapter.LORA:
        config["Peft"] = "LORA"
    eula = options.get("accept_eula", "false")
    if eula not in ("true", "false"):
        raise UsageError(f"option accept_eula: `{eula}` is neither true nor false",
                         where="accept_eula")  # fmt: skip
    if eula == "true":  # nobody accepts a licence by leaving something out
        config["AcceptEula"] = True
    if length := options.get("sequence_length"):
        if not LENGTH.fullmatch(length):
            raise UsageError(
                f"option sequence_length: `{length}` is none such as 4K", where="sequence_length"
            )
        config["SequenceLength"] = length
    if (spec.method is Method.RL) is not ("evaluator_arn" in spec.options):
        raise UsageError(
            "reinforcement needs an evaluator of SageMaker's (a reward function or prompt), and "
            "only --method rl takes one",
            hint="--method rl --option evaluator_arn=ARN",
            where="evaluator_arn",
        )
    if "evaluator_arn" in spec.options:
        config["EvaluatorArn"] = spec.options["evaluator_arn"]
    return config


def _technique(spec: JobSpec) -> str:
    """RLVR with a reward function, RLAIF with a reward prompt; else the method's own."""
    usual = TECHNIQUES[spec.method]
    given = spec.options.get("technique", usual.lower()).upper()
    if given != usual and (usual, given) != ("RLVR", "RLAIF"):
        raise UsageError(
            f"option technique: {given.lower()} is not what --method {spec.method} does",
            hint="rl takes rlvr (a reward function) or rlaif (a reward prompt)",
            where="technique",
        )
    return given


def group_arn(options: Mapping[str, str]) -> str:
    """The model package group's ARN: as given, or of a name in the role's account."""
    given = options.get("model_package_group", "ftbridge")
    if given.startswith("arn:"):
        return given
    if not settings.NAME.fullmatch(given):
        raise UsageError(
            f"option model_package_group: `{given}` is no name of a group",
            hint="letters, digits and single hyphens, 63 at most; or its ARN",
            where="model_package_group",
        )
    region = aws.region(options)
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    account = aws.account(options)
    return f"arn:{partition}:sagemaker:{region}:{account}:model-package-group/{given}"


def _package(options: Mapping[str, str]) -> dict[str, str]:
    found = {"ModelPackageGroupArn": group_arn(options)}
    if source := options.get("source_model_package"):
        found["SourceModelPackageArn"] = source
    return found


def _mlflow(options: Mapping[str, str], key: str) -> dict[str, str]:
    found = {"MlflowResourceArn": options["mlflow_arn"], "MlflowRunName": key}
    if experiment := options.get("mlflow_experiment"):
        found["MlflowExperimentName"] = experiment
    return found


def hyperparameters(spec: JobSpec) -> dict[str, str]:
    """What was set, under the recipe's names, as strings."""
    given = {NAMES[name]: _text(value) for name, value in spec.hyperparameters.given().items()}
    passed = {
        name.removeprefix(PASSED): text
        for name, text in spec.options.items()
        if name.startswith(PASSED)
    }
    return given | passed


def _text(value: float) -> str:
    """Without an exponent."""
    return str(value) if isinstance(value, int) else format(Decimal(str(value)).normalize(), "f")
