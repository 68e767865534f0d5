"""Calls as actions of AWS IAM, and what the README asks for.

Names: docs.aws.amazon.com service-authorization, list_amazonsagemaker and list_amazons3. A role
that is handed over needs ``iam:PassRole``, and tags on a new thing ``sagemaker:AddTags``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ftbridge_sagemaker

OBJECT = {"PUT": "s3:PutObject", "GET": "s3:GetObject", "HEAD": "s3:GetObject"}


def of_calls(asked: Iterable[Mapping[str, Any]]) -> set[str]:
    """What operations of SageMaker and its runtime need."""
    found = set()
    for call in asked:
        service, _, name = call["operation"].partition(":")
        if service != "sts":  # who one is may be asked by anybody
            found.add(f"sagemaker:{name}")
        body = json.dumps(call["input"])
        if '"RoleArn"' in body or '"ExecutionRoleArn"' in body:
            found.add("iam:PassRole")
        if '"Tags"' in body:
            found.add("sagemaker:AddTags")
    return found


def of_storage(requests: Iterable[tuple[str, str]], bucket: str) -> set[str]:
    """What requests to S3 need."""
    found = set()
    for method, path in requests:
        parts = urlsplit(path)
        if not parts.path.startswith(f"/{bucket}"):
            continue
        query = parse_qs(parts.query, keep_blank_values=True)
        if method == "DELETE":
            found.add("s3:DeleteObjectVersion")
        elif parts.path.strip("/") != bucket:
            found.add(OBJECT[method])
        else:
            found.add("s3:ListBucketVersions" if "versions" in query else "s3:ListBucket")
    return found


def of_readme() -> dict[str, list[str]]:
    """The policies that stand in the README as JSON: of whoever submits, by the name before it."""
    text = (ftbridge_sagemaker.Provider.folder / "README.md").read_text("utf-8")
    blocks = re.findall(r"<!-- policy (\w+) -->\n```json\n(.*?)```", text, re.DOTALL)
    return {
        name: sorted(
            action for statement in json.loads(block)["Statement"] for action in statement["Action"]
        )
        for name, block in blocks
    }
