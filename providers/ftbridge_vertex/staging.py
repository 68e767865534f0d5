"""Training data in a bucket of the user's own: put there by content, removed by purge, verified.

google-cloud-storage 3.17.1 (read 2026-11-25): ``if_generation_match=0`` makes an upload fail with
412 where the object is there already, so that the same content is stored once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import DataError, VendorError
from ftbridge.policy import CheckedUpload
from ftbridge.vendor_errors import unless_gone
from ftbridge_vertex.failures import translated

if TYPE_CHECKING:
    from google.cloud import storage

JSON_LINES = "application/jsonl"


def uri(bucket: str, prefix: str, upload: CheckedUpload) -> str:
    """Where a file of this content lies: a folder of its own under the prefix."""
    return f"gs://{bucket}/{prefix}/{upload.name.removesuffix('.jsonl')}/{upload.name}"


def split(name: str) -> tuple[str, str]:
    """Bucket and object of a ``gs://`` address."""
    bucket, _, key = name.removeprefix("gs://").partition("/")
    return bucket, key


def _blob(client: storage.Client, name: str) -> Any:
    bucket, key = split(name)
    return client.bucket(bucket).blob(key)


def send(
    client: storage.Client, name: str, upload: CheckedUpload, timeout: float, kms_key: str | None
) -> None:
    """Store the content; one that is there already is the same."""
    blob = _blob(client, name)
    if kms_key:
        blob = client.bucket(blob.bucket.name).blob(blob.name, kms_key_name=kms_key)
    try:
        with translated(), upload.open() as stream:
            blob.upload_from_file(
                stream, size=upload.bytes, content_type=JSON_LINES, if_generation_match=0,
                checksum="crc32c", retry=None, timeout=timeout,
            )  # fmt: skip
    except VendorError as error:
        if error.status != 412:
            raise


def there(client: storage.Client, name: str, timeout: float) -> bool:
    """Whether the object exists."""
    with translated():
        return bool(_blob(client, name).exists(retry=None, timeout=timeout))


def remove(client: storage.Client, name: str, timeout: float) -> None:
    """Delete the object and see that it is gone.

    Raises:
        VendorError: it can still be read, by a hold or a retention policy of the bucket.
    """
    with unless_gone(), translated():
        _blob(client, name).delete(retry=None, timeout=timeout)
    if there(client, name, timeout):
        raise VendorError(
            f"{name} is still there after it was deleted",
            hint="look for a hold, a retention policy or versions of the bucket",
            vendor_code="not_deleted",
        )


def fetch(client: storage.Client, folder: str, out: Path, timeout: float) -> Path:
    """Bring every object under a ``gs://`` folder to a local one.

    Raises:
        DataError: nothing is there, or a name would leave the folder.
    """
    bucket, prefix = split(folder.rstrip("/") + "/")
    found = 0
    with translated():
        for blob in client.list_blobs(bucket, prefix=prefix, retry=None, timeout=timeout):
            target = (out / blob.name.removeprefix(prefix)).resolve()
            if not target.is_relative_to(out.resolve()):
                raise DataError(f"{blob.name} would be written outside {out}", where=blob.name)
            if blob.name.endswith("/"):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            blob.download_to_filename(str(target), retry=None, timeout=timeout)
            found += 1
    if not found:
        raise DataError(f"no weights under {folder}", hint="look there with `gcloud storage ls`")
    return out


def keeps_deleted(client: storage.Client, bucket: str, timeout: float) -> tuple[str, str]:
    """The bucket's location, and in words what it keeps of deleted objects; empty: nothing."""
    with translated():
        found = client.get_bucket(bucket, retry=None, timeout=timeout)
        kept = []
        if found.versioning_enabled:
            kept.append("keeps old versions")
        seconds = found.soft_delete_policy.retention_duration_seconds or 0
        if int(seconds):
            kept.append(f"keeps deleted objects for {int(seconds) // 86400} days")
        if found.retention_period:
            kept.append("has a retention policy")
        return str(found.location).lower(), ", ".join(kept)


def clear(client: storage.Client, folder: str, timeout: float) -> None:
    """Delete every object under a ``gs://`` folder."""
    bucket, prefix = split(folder.rstrip("/") + "/")
    with translated():
        for blob in client.list_blobs(bucket, prefix=prefix, retry=None, timeout=timeout):
            blob.delete(retry=None, timeout=timeout)
