"""Model package groups and the versions in them. Sentences unverified."""

from __future__ import annotations

from typing import Any

from .errors import ApiError, invalid
from .paging import page
from .store import Emulator, Package, Thing


async def create_group(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """CreateModelPackageGroup."""
    store, name = emulator.store, params["ModelPackageGroupName"]
    arn = store.arn("model-package-group", name)
    if name in store.groups:
        raise invalid(f"Model Package Group already exists: {arn}")
    store.groups[name] = Thing(arn, params, now)
    return {"ModelPackageGroupArn": arn}


def _group(emulator: Emulator, params: dict[str, Any]) -> Thing:
    name = params["ModelPackageGroupName"].rpartition("/")[2]
    group = emulator.store.groups.get(name)
    if group is None:
        raise invalid(f"ModelPackageGroup {name} does not exist.")
    return group


async def describe_group(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DescribeModelPackageGroup."""
    group = _group(emulator, params)
    shown = {key: value for key, value in group.body.items() if key != "Tags"}
    return shown | {
        "ModelPackageGroupArn": group.arn,
        "CreationTime": group.created,
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    }


async def delete_group(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DeleteModelPackageGroup: of an empty one."""
    group = _group(emulator, params)
    name = group.body["ModelPackageGroupName"]
    if any(each.group == name for each in emulator.store.packages.values()):
        raise ApiError(
            "ConflictException", "Model Package Group cannot be deleted: it has versions"
        )
    del emulator.store.groups[name]
    return {}


def find(emulator: Emulator, name: str) -> Package:
    """A package by ARN or ``group/version``."""
    tail = name.partition(":model-package/")[2] or name
    arn = emulator.store.arn("model-package", tail)
    package = emulator.store.packages.get(arn)
    if package is None:
        raise invalid(f"ModelPackage {name} does not exist.")
    return package


async def describe(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DescribeModelPackage."""
    package = find(emulator, params["ModelPackageName"])
    base = package.job.body["ServerlessJobConfig"]["BaseModelArn"].rpartition("/Model/")[2]
    name, _, version = base.partition("/")
    source = {
        "S3Uri": f"{package.job.output}/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    container = {
        "ModelDataSource": {"S3DataSource": source},
        "BaseModel": {"HubContentName": name, "HubContentVersion": version or "1.0.0"},
    }
    return _summary(package) | {
        "ModelPackageName": package.group,
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "InferenceSpecification": {"Containers": [container]},
    }


def _summary(package: Package) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": package.group,
        "ModelPackageVersion": package.version,
        "ModelPackageArn": package.arn,
        "CreationTime": package.created,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "PendingManualApproval",
    }


async def list_packages(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """ListModelPackages."""
    rows = [_summary(each) for each in emulator.store.packages.values()]
    if "ModelPackageGroupName" in params:
        group = _group(emulator, params).body["ModelPackageGroupName"]
        rows = [row for row in rows if row["ModelPackageGroupName"] == group]
    equal = {"ModelApprovalStatus": "ModelApprovalStatus"}
    return page("ModelPackageSummaryList", rows, params, name="ModelPackageGroupName", equal=equal)


async def delete(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DeleteModelPackage."""
    del emulator.store.packages[find(emulator, params["ModelPackageName"]).arn]
    return {}
