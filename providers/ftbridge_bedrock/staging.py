"""The user's own bucket: data goes there, metrics come from there, and purge proves it gone.

Training data lies under ``PREFIX/data/`` by its content's hash (one upload serves all jobs), what
a job writes under ``PREFIX/jobs/KEY/``. Every object is encrypted at rest: by S3's keys, or by a
KMS key (option ``s3_kms_key_id``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from ftbridge.errors import VendorError
from ftbridge.policy import CheckedUpload
from ftbridge.policy.transport import require_encrypted
from ftbridge.provider import FileState, RemoteFile
from ftbridge_bedrock import settings

Border = Callable[[], AbstractContextManager[None]]
"""What turns botocore's exceptions into ours."""


class Bucket:
    """The calls to S3.

    Args:
        client: makes boto3's S3 client; asked when it is first needed.
        border: see :data:`Border`.
    """

    def __init__(
        self, client: Callable[[], Any], border: Border, options: Mapping[str, str]
    ) -> None:
        self._client, self._border, self._options = client, border, options

    def address(self, upload: CheckedUpload) -> str:
        """Where a file's content lies, whether or not it is there yet."""
        bucket, prefix = self._options.get("bucket", ""), settings.prefix(self._options)
        return f"s3://{bucket}/{prefix}/data/{upload.name}"

    def send(self, upload: CheckedUpload) -> RemoteFile:
        """Put a file there, encrypted at rest, with its hash beside it."""
        uri = self.address(upload)
        bucket, key = split(uri)
        with self._border(), upload.open() as stream:
            self.put(bucket, key, stream, {"sha256": upload.sha256})
        return RemoteFile(uri, upload.bytes)

    def stage(self, upload: CheckedUpload, name: str) -> str:
        """Put one file of a checked stage under a name below the prefix; its address."""
        bucket = self._options.get("bucket", "")
        key = f"{settings.prefix(self._options)}/{name}"
        with self._border(), upload.open() as stream:
            self.put(bucket, key, stream, {"sha256": upload.sha256})
        return f"s3://{bucket}/{key}"

    def put(self, bucket: str, key: str, stream: Any, metadata: dict[str, str]) -> None:
        """One object; large ones go in parts."""
        from boto3.s3.transfer import TransferConfig

        require_encrypted("bedrock", [settings.data_endpoint(self._options)])
        extra: dict[str, Any] = {"Metadata": metadata, "ServerSideEncryption": "AES256"}
        if kms := self._options.get("s3_kms_key_id"):
            extra |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms}
        parts = TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=64 << 20)
        self._client().upload_fileobj(stream, bucket, key, ExtraArgs=extra, Config=parts)

    def find(self, upload: CheckedUpload) -> RemoteFile | None:
        """The file of this content, if it is there whole."""
        uri = self.address(upload)
        head = self._head(uri)
        if head is None or head["Metadata"].get("sha256") != upload.sha256:
            return None
        return RemoteFile(uri, upload.bytes) if head["ContentLength"] == upload.bytes else None

    def state(self, uri: str) -> FileState:
        """Whether it is still there."""
        gone = self._head(uri) is None
        return FileState(ready=not gone, missing=gone)

    def purge(self, uri: str) -> None:
        """Delete every version of it, and see that none is left.

        In a bucket that keeps versions a plain delete only hides the content.

        Raises:
            VendorError: something is left all the same.
        """
        bucket, key = split(uri)
        with self._border():
            for version in self._versions(bucket, key):
                self._client().delete_object(Bucket=bucket, Key=key, VersionId=version)
            left = self._versions(bucket, key)
        if left:
            raise VendorError(
                f"{uri}: {len(left)} versions are left after the deletion",
                hint="look for an object lock or a retention rule on the bucket",
                status=409,
                transient=False,
            )

    def _versions(self, bucket: str, key: str) -> list[str]:
        """Versions and delete markers of this very key."""
        pages = self._client().get_paginator("list_object_versions")
        return [
            item["VersionId"]
            for page in pages.paginate(Bucket=bucket, Prefix=key)
            for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            if item["Key"] == key
        ]

    def tables(self, uri: str) -> list[tuple[str, str]]:
        """Path and text of every CSV file under an address."""
        bucket, prefix = split(uri)
        found = []
        with self._border():
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    if item["Key"].endswith(".csv"):
                        body = self._client().get_object(Bucket=bucket, Key=item["Key"])["Body"]
                        found.append((item["Key"], body.read().decode("utf-8", "replace")))
        return found

    def check(self, bucket: str) -> str:
        """The bucket's region; raises ProviderError where it cannot be used."""
        with self._border():
            return str(self._client().head_bucket(Bucket=bucket).get("BucketRegion") or "")

    def _head(self, uri: str) -> Any:
        bucket, key = split(uri)
        try:
            with self._border():
                return self._client().head_object(Bucket=bucket, Key=key)
        except VendorError as error:
            if error.status != 404:
                raise
            return None


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` address."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")
