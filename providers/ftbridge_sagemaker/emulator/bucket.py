"""S3 as the service role sees it: data comes from there, checkpoints and artifacts go there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Unreadable(Exception):
    """What the service cannot read: no such bucket, no such object."""


@cache
def _connect(endpoint: str, region: str) -> Any:
    """One client for all emulators of a process: boto3 reads its models for each anew."""
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="service-role",
        aws_secret_access_key="service-role",  # noqa: S106 -- the sandbox's own S3 checks none
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
    )


@dataclass
class Bucket:
    """An S3 endpoint; any bucket of it."""

    endpoint: str
    region: str

    @property
    def _client(self) -> Any:
        return _connect(self.endpoint, self.region)

    def keys(self, uri: str) -> list[str]:
        """The keys that begin with an S3 prefix, whole; raises `Unreadable`."""
        from botocore.exceptions import ClientError

        bucket, prefix = split(uri)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            return [item["Key"] for page in pages for item in page.get("Contents", ())]
        except ClientError as error:
            raise Unreadable(f"{uri}: {error.response['Error']['Code']}") from None

    def contents(self, uri: str) -> Iterator[bytes]:
        """All objects that begin with a prefix; raises `Unreadable`."""
        bucket, _ = split(uri)
        for key in self.keys(uri):
            yield bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def download(self, uri: str, folder: Path) -> None:
        """Bring all objects that begin with a prefix into a folder; raises `Unreadable`."""
        bucket, prefix = split(uri)
        for key in self.keys(uri):
            name = _name(key, prefix)
            if name and not name.endswith("/"):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                self._client.download_file(bucket, key, str(target))

    def upload(self, path: Path, uri: str) -> None:
        """Write an object from a file."""
        bucket, key = split(uri)
        self._client.upload_file(str(path), bucket, key)

    def put(self, uri: str, content: bytes) -> None:
        """Write an object."""
        bucket, key = split(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=content)


def _name(key: str, prefix: str) -> str:
    """Below the prefix where it is a folder, else beside what it is the beginning of."""
    folder = prefix.rstrip("/") + "/"
    if key.startswith(folder):
        return key.removeprefix(folder)
    return key.removeprefix(prefix.rpartition("/")[0]).lstrip("/")


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an address."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")
