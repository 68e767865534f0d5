"""A prefix of a bucket in Cloud Storage as a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ftbridge.errors import OperationFailed
from ftbridge_vertex import staging
from ftbridge_vertex.failures import translated


class CloudStore:
    """Files below one prefix. See :class:`ftbridge.stores.Store`.

    Args:
        client: gives google-cloud-storage's client, made when it is first needed.
        timeout: seconds of one call.
        kms_key: whose key encrypts the objects; None: Google's own.
    """

    def __init__(
        self,
        client: Callable[[], Any],
        bucket: str,
        prefix: str,
        timeout: float,
        kms_key: str | None = None,
    ) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._timeout, self._kms_key = timeout, kms_key

    def address(self, name: str) -> str:
        """``gs://bucket/prefix/name``."""
        return f"gs://{self._bucket}/{self._key(name)}"

    def write(self, name: str, content: BinaryIO) -> None:
        """Put an object there; it appears whole."""
        with translated():
            blob = self._blob(name, kms_key_name=self._kms_key)
            blob.upload_from_file(content, checksum="crc32c", retry=None, timeout=self._timeout)

    def read(self, name: str) -> bytes | None:
        """An object's content; None where it is not there."""
        from google.api_core.exceptions import NotFound

        with translated():
            try:
                found: bytes = self._blob(name).download_as_bytes(retry=None, timeout=self._timeout)
            except NotFound:
                return None
        return found

    def size(self, name: str) -> int | None:
        """An object's bytes; None where it is not there."""
        with translated():
            bucket = self._client().bucket(self._bucket)
            found = bucket.get_blob(self._key(name), retry=None, timeout=self._timeout)
        return None if found is None else int(found.size)

    def names(self, folder: str) -> list[str]:
        """The names of all objects below a folder."""
        start = self._key(folder).rstrip("/") + "/"
        with translated():
            listed = self._client().list_blobs(
                self._bucket, prefix=start, retry=None, timeout=self._timeout
            )
            found = [blob.name.removeprefix(start) for blob in listed]
        return sorted(name for name in found if name and not name.endswith("/"))

    def fetch(self, name: str, target: Path) -> None:
        """Bring an object of any size here.

        Raises:
            OperationFailed: it is not there.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.size(name) is None:
            raise OperationFailed(f"{self.address(name)} is gone", hint="train again with --again")
        with translated():
            self._blob(name).download_to_filename(str(target), retry=None, timeout=self._timeout)

    def remove(self, name: str) -> None:
        """Delete an object, and see that it is gone.

        Raises:
            VendorError: it can still be read.
        """
        staging.remove(self._client(), self.address(name), self._timeout)

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if name else self._prefix

    def _blob(self, name: str, **more: Any) -> Any:
        return self._client().bucket(self._bucket).blob(self._key(name), **more)
