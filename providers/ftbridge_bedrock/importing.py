"""Custom model import: weights of one's own (safetensors, Hugging Face's layout) served by Bedrock.

From botocore 1.43.117 (CreateModelImportJob) and docs.aws.amazon.com
model-customization-import-model (seen 2026-11-25): a folder in S3 with config.json, *.safetensors
and a tokenizer. The model answers at once, billed by custom model units while it is loaded; it has
no deployment to make. The copy in the bucket is not needed once the import has ended.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ftbridge import clock
from ftbridge.errors import NetworkError, UsageError, VendorError
from ftbridge.policy import CheckedStage
from ftbridge_bedrock.settings import SUFFIX
from ftbridge_bedrock.staging import Bucket

NEEDED = ("config.json", "tokenizer")


def run(
    client: Any,
    border: Callable[[], AbstractContextManager[None]],
    bucket: Bucket,
    stage: CheckedStage,
    names: Sequence[str],
    name: str,
    role: str,
    waiting: tuple[float, float],
) -> str:
    """Stage the folder, import it, wait, take the staged copy away; the model's ARN.

    Args:
        stage: the files, each allowed to go there; ``names`` are theirs in the folder.
        name: what the model is to be called.
        waiting: seconds of patience, and between two looks.

    Raises:
        UsageError: the folder is no model in this layout.
        VendorError: AWS could not import it. NetworkError: it takes too long.
    """
    _require_model(names, name)
    folder, uris = uuid.uuid4().hex, []
    try:
        for upload, file in zip(stage.uploads, names, strict=True):
            uris.append(bucket.stage(upload, f"imports/{folder}/{file}"))
        root = uris[0].rpartition("/")[0] + "/"
        with border():
            arn = client.create_model_import_job(
                jobName=f"ftb-{folder}",
                importedModelName=name,
                roleArn=role,
                modelDataSource={"s3DataSource": {"s3Uri": root}},
                clientRequestToken=folder,
            )["jobArn"]
        return _imported(client, border, arn, waiting)
    finally:
        for uri in uris:
            bucket.purge(uri)


def _require_model(names: Sequence[str], name: str) -> None:
    if not SUFFIX.fullmatch(name):
        raise UsageError(
            f"`{name}`: a model's name is letters and digits with single - or _ between",
            where="name",
        )
    missing = [each for each in NEEDED if not any(file.startswith(each) for file in names)]
    if not any(file.endswith(".safetensors") for file in names):
        missing.append("*.safetensors")
    if missing:
        raise UsageError(
            f"the folder lacks {', '.join(missing)}",
            hint="Bedrock imports Hugging Face's layout with safetensors; merge an adapter first",
            where="folder",
        )


def _imported(
    client: Any,
    border: Callable[[], AbstractContextManager[None]],
    arn: str,
    waiting: tuple[float, float],
) -> str:
    until = clock.monotonic() + waiting[0]
    while True:
        with border():
            seen = client.get_model_import_job(jobIdentifier=arn)
            raw = seen["status"]
        if raw == "Completed":
            return str(seen["importedModelArn"])
        if raw == "Failed":
            said = seen.get("failureMessage") or "AWS gives no reason"
            raise VendorError(
                f"AWS could not import the weights: {said}",
                hint="see its list of architectures and files (model-customization-import-model)",
                vendor_code=raw,
            )
        if clock.monotonic() > until:
            raise NetworkError(
                f"the import is still {raw} after {waiting[0]:.0f} s",
                hint=f"it goes on at AWS as {arn}",
            )
        clock.sleep(waiting[1])
