"""S3 as the service role sees it: the data is read from there, and metrics are put there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit


class Unreadable(Exception):
    """What the service cannot read: no such bucket, no such object."""


@dataclass
class Bucket:
    """An S3 endpoint; any bucket of it."""

    endpoint: str
    region: str

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id="service-role",
            aws_secret_access_key="service-role",  # noqa: S106 -- the sandbox's own S3 checks none
            config=config,
        )

    def read(self, uri: str) -> bytes:
        """An object's bytes; raises `Unreadable`."""
        from botocore.exceptions import ClientError

        bucket, key = _split(uri)
        try:
            return bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise Unreadable(f"{uri} could not be read: {code}") from None

    def names(self, uri: str) -> list[str]:
        """The keys under a prefix, without it; raises `Unreadable`."""
        from botocore.exceptions import ClientError

        bucket, prefix = _split(uri)
        folder = prefix.rstrip("/") + "/" if prefix else ""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        try:
            return [
                item["Key"].removeprefix(folder)
                for page in pages
                for item in page.get("Contents", ())
            ]
        except ClientError as error:
            raise Unreadable(f"{uri}: {error.response['Error']['Code']}") from None

    def check(self, uri: str) -> None:
        """Raises `Unreadable` where the bucket of an output location is not there."""
        self.names(uri)

    def put(self, uri: str, content: bytes) -> None:
        """Write an object."""
        bucket, key = _split(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=content)


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")
