"""Bedrock's settings in one place: addresses, region, account, and every ``--option``.

Credentials are never options: boto3 finds them as it always does (environment, profile, SSO,
instance role). From botocore 1.43.117, service model bedrock/2023-04-20 (seen 2026-11-25).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ftbridge.dialects import aws
from ftbridge.errors import UsageError

ROLE = re.compile(r"arn:aws(-[^:]+)?:iam::(\d{12}):role/.+")
BUCKET = re.compile(r"[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]")
SUFFIX = re.compile(r"([0-9a-zA-Z][_-]?)+")
PREFIX = re.compile(r"[-!_*'().a-z0-9A-Z]+(/[-!_*'().a-z0-9A-Z]+)*")
COMMITMENTS = {"none": "no_commitment", "OneMonth": "1_month", "SixMonths": "6_months"}
"""Option ``commitment`` -> the tier under which ``prices.toml`` has it."""

PLACE_OPTIONS = frozenset({
    "region", "profile", "bucket", "prefix", "role_arn", "kms_key_id", "s3_kms_key_id",
    "subnet_ids", "security_group_ids",
})  # fmt: skip
"""Where a job runs, who it runs as, and where its data lies."""

SERVING_OPTIONS = frozenset({
    "serving", "model_units", "commitment", "deploy_seconds", "inference_profile",
})  # fmt: skip
HYPER_OPTIONS = {
    "learning_rate_warmup_steps": "learningRateWarmupSteps",
    "batch_size": "batchSize",
    "learning_rate_multiplier": "learningRateMultiplier",
    "early_stopping_threshold": "earlyStoppingThreshold",
    "early_stopping_patience": "earlyStoppingPatience",
}
"""Hyperparameters that only some families have: option -> the vendor's name."""

REWARD_OPTIONS = {
    "max_prompt_length": "maxPromptLength",
    "samples_per_prompt": "trainingSamplePerPrompt",
    "inference_max_tokens": "inferenceMaxTokens",
    "eval_interval": "evalInterval",
}
OTHER_OPTIONS = frozenset({
    "customization", "teacher", "teacher_max_tokens", "start_from", "lambda_arn",
    "reasoning_effort",
})  # fmt: skip
KNOWN = (
    PLACE_OPTIONS | SERVING_OPTIONS | OTHER_OPTIONS | HYPER_OPTIONS.keys() | REWARD_OPTIONS.keys()
)


def require_known(options: Mapping[str, str]) -> None:
    """Raise UsageError for an option that is not ours."""
    if unknown := sorted(options.keys() - KNOWN):
        raise UsageError(
            f"bedrock takes no option {', '.join(unknown)}",
            hint=f"it takes: {', '.join(sorted(KNOWN))}",
            where="option",
        )


def region(options: Mapping[str, str]) -> str:
    """Option ``region``, else AWS's own variables, else us-east-1, where most models are tuned."""
    return aws.region(options)


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else boto3's variables for the service, else the vendor's own."""
    return (
        options.get("base_url")
        or os.environ.get("AWS_ENDPOINT_URL_BEDROCK")
        or os.environ.get("AWS_ENDPOINT_URL")
        or f"https://bedrock.{region(options)}.amazonaws.com"
    )


def data_endpoint(options: Mapping[str, str]) -> str:
    """Where S3 is spoken to."""
    return (
        os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
        or f"https://s3.{region(options)}.amazonaws.com"
    )


def at_vendor(options: Mapping[str, str]) -> bool:
    """Whether the host is one of AWS's."""
    host = urlsplit(endpoint(options)).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def account(options: Mapping[str, str]) -> str:
    """The account's number, as the role's ARN has it; else a hash of the access key's id."""
    role = ROLE.fullmatch(options.get("role_arn", ""))
    if role:
        return role[2]
    key = os.environ.get("AWS_ACCESS_KEY_ID") or options.get("profile") or ""
    return f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-account"


def signed_in(options: Mapping[str, str]) -> bool:
    """Whether AWS credentials are set up here, as far as it shows without asking any address."""
    shared = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    marks = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
             "AWS_BEARER_TOKEN_BEDROCK")  # fmt: skip
    return (
        "profile" in options
        or any(os.environ.get(mark) for mark in marks)
        or Path(shared).expanduser().exists()
    )


def prefix(options: Mapping[str, str]) -> str:
    """Option ``prefix``: the folder in the bucket under which everything lies."""
    chosen = options.get("prefix", "ftbridge").strip("/")
    if not PREFIX.fullmatch(chosen):
        raise UsageError(f"option prefix: `{chosen}` is no prefix of S3 keys", where="prefix")
    return chosen


def commitment(options: Mapping[str, str]) -> str:
    """Option ``commitment`` of provisioned throughput: none, OneMonth or SixMonths."""
    chosen = options.get("commitment", "none")
    if chosen not in COMMITMENTS:
        raise UsageError(
            f"option commitment: `{chosen}` is none of {', '.join(COMMITMENTS)}",
            where="commitment",
        )
    return chosen


def whole(name: str, text: str) -> int:
    """A whole number above 0."""
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"option {name}: `{text}` is no whole number above 0", where=name)
    return int(text)


def listed(text: str) -> list[str]:
    """What is written with commas between."""
    return [part.strip() for part in text.split(",") if part.strip()]
