"""SageMaker's settings in one place: addresses, names, and every ``--option``.

Source: botocore 1.43.117, service model sagemaker/2017-07-24 (seen 2026-11-25).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ftbridge.dialects import aws
from ftbridge.errors import UsageError

OURS = ("sagemaker", "sagemaker-runtime", "logs", "sts")
"""The services that option ``base_url`` stands for."""
PLACE_OPTIONS = (
    "region", "profile", "bucket", "prefix", "role_arn", "kms_key_id", "subnet_ids",
    "security_group_ids",
)  # fmt: skip
"""Where a job runs, who it runs as, and where its data lies."""
KEPT = ("region", "profile", "bucket", "prefix", "role_arn")
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
TAG = "ftbridge_key"


def endpoint(options: Mapping[str, str]) -> str:
    """Where jobs are asked for. AWS's own host is ``api.sagemaker.REGION.amazonaws.com``."""
    found = aws.endpoint("sagemaker", options)
    own = f"https://sagemaker.{aws.region(options)}.amazonaws.com"
    return found.replace("//sagemaker.", "//api.sagemaker.") if found == own else found


def role(options: Mapping[str, str]) -> str:
    """The role that SageMaker takes on, or a place-holder of a plan.

    Raises:
        UsageError: it is no ARN of a role.
    """
    given = options.get("role_arn")
    if given is None:
        return "<role_arn>"
    if not aws.ROLE.fullmatch(given):
        raise UsageError(
            f"option role_arn: `{given}` is no ARN of a role",
            hint="it looks like arn:aws:iam::123456789012:role/NAME",
            where="role_arn",
        )
    return given


def network(options: Mapping[str, str]) -> dict[str, Any]:
    """``VpcConfig`` where both of its options are given."""
    subnets, groups = listed(options.get("subnet_ids")), listed(options.get("security_group_ids"))
    if bool(subnets) is not bool(groups):
        raise UsageError(
            "a VPC needs both options, subnet_ids and security_group_ids", where="subnet_ids"
        )
    return {"VpcConfig": {"Subnets": subnets, "SecurityGroupIds": groups}} if subnets else {}


def output(store_uri: str, options: Mapping[str, str]) -> dict[str, Any]:
    """``OutputDataConfig``."""
    found = {"S3OutputPath": store_uri}
    if kms := options.get("kms_key_id"):
        found["KmsKeyId"] = kms
    return found


def channel(name: str, uri: str) -> dict[str, Any]:
    """An input channel of everything that begins with an address."""
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def tags(key: str) -> list[dict[str, str]]:
    """What a job is found by in the console and on the bill."""
    return [{"Key": TAG, "Value": key}]


def whole(options: Mapping[str, str], name: str, default: int | None, most: int) -> int | None:
    """An option that is a whole number above 0."""
    text = options.get(name)
    if text is None:
        return default
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise UsageError(f"option {name}: `{text}` is no whole number from 1 to {most}", where=name)
    return int(text)


def listed(text: str | None) -> list[str]:
    """What is written with commas between."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]
