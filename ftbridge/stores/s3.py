"""A prefix of a bucket in S3 as a store: every object encrypted at rest, every version purged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ftbridge.errors import OperationFailed, UsageError, VendorError
from ftbridge.policy.transport import require_encrypted

GONE = 404


class Access(NamedTuple):
    """How S3 is reached.

    ``client`` makes boto3's S3 client when it is first needed, ``border`` turns botocore's
    exceptions into ours, ``endpoint`` is where it speaks to, ``provider`` who asks.
    """

    client: Callable[[], Any]
    border: Callable[[], AbstractContextManager[None]]
    endpoint: str
    provider: str


class S3Store:
    """Files below one prefix. See :class:`ftbridge.stores.Store`."""

    def __init__(self, access: Access, bucket: str, prefix: str, kms_key: str | None) -> None:
        """``kms_key``: whose key encrypts the objects; None: S3's own (AES-256)."""
        self._access, self._bucket, self._prefix, self._kms = access, bucket, prefix, kms_key

    def address(self, name: str) -> str:
        """``s3://bucket/prefix/name``."""
        return f"s3://{self._bucket}/{self._key(name)}"

    def write(self, name: str, content: BinaryIO) -> None:
        """Put an object there; large ones go in parts."""
        from boto3.s3.transfer import TransferConfig

        self._require_bucket()
        require_encrypted(self._access.provider, [self._access.endpoint])
        extra: dict[str, Any] = {"ServerSideEncryption": "AES256"}
        if self._kms:
            extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms}
        parts = TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=64 << 20)
        with self._access.border():
            self._client.upload_fileobj(
                content, self._bucket, self._key(name), ExtraArgs=extra, Config=parts
            )

    def read(self, name: str) -> bytes | None:
        """An object's content; None where it is not there."""

        def ask() -> bytes:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
            return bytes(found["Body"].read())

        content: bytes | None = self._unless_gone(ask)
        return content

    def size(self, name: str) -> int | None:
        """An object's bytes; None where it is not there."""
        key = self._key(name)
        found = self._unless_gone(lambda: self._client.head_object(Bucket=self._bucket, Key=key))
        return None if found is None else int(found["ContentLength"])

    def names(self, folder: str) -> list[str]:
        """The names of all objects below a folder, by as many pages as there are."""
        start = self._key(folder).rstrip("/") + "/"
        with self._access.border():
            pages = self._client.get_paginator("list_objects_v2")
            found = [
                item["Key"].removeprefix(start)
                for page in pages.paginate(Bucket=self._bucket, Prefix=start)
                for item in page.get("Contents", ())
            ]
        return sorted(name for name in found if name and not name.endswith("/"))

    def fetch(self, name: str, target: Path) -> None:
        """Bring an object of any size here.

        Raises:
            OperationFailed: it is not there.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.size(name) is None:
            raise OperationFailed(f"{self.address(name)} is gone", hint="train again with --again")
        with self._access.border(), target.open("wb") as stream:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
            for piece in found["Body"].iter_chunks(1 << 20):
                stream.write(piece)

    def remove(self, name: str) -> None:
        """Delete every version of an object, and see that none is left.

        In a bucket that keeps versions a plain delete only hides the content.

        Raises:
            VendorError: something is left all the same.
        """
        key = self._key(name)
        with self._access.border():
            for version in self._versions(key):
                self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
            left = self._versions(key)
        if left:
            raise VendorError(
                f"{self.address(name)}: {len(left)} versions are left after the deletion",
                hint="look for an object lock or a retention rule on the bucket",
                status=409,
            )

    # -- private -----------------------------------------------------------------------------

    @property
    def _client(self) -> Any:
        return self._access.client()

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if name else f"{self._prefix}/"

    def _require_bucket(self) -> None:
        if not self._bucket:
            raise UsageError(
                "no bucket to stage data in", hint="--option bucket=NAME", where="bucket"
            )

    def _unless_gone(self, ask: Callable[[], Any]) -> Any:
        """What was asked for; None where the object is not there."""
        self._require_bucket()
        try:
            with self._access.border():
                return ask()
        except VendorError as error:
            if error.status == GONE and error.vendor_code != "NoSuchBucket":
                return None
            raise

    def _versions(self, key: str) -> list[str]:
        """Versions and delete markers of this very key."""
        pages = self._client.get_paginator("list_object_versions")
        return [
            item["VersionId"]
            for page in pages.paginate(Bucket=self._bucket, Prefix=key)
            for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            if item["Key"] == key
        ]
