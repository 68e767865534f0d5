"""Uploading: a record first, then its bytes, then a while until it is READY.

``fireworks-ai`` 1.2.30: one multipart request up to 150 MB, signed URLs above (read 2026-11-25).
Its own helper for shards refuses addresses that are not https, so the two calls are made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftbridge.errors import VendorError
from ftbridge.policy import CheckedUpload
from ftbridge.policy.transport import require_encrypted
from ftbridge.provider import FileState
from ftbridge_fireworks.failures import require_done, translated

if TYPE_CHECKING:
    from fireworks import Fireworks

LARGEST_REQUEST = 150_000_000
UPLOAD_SECONDS = 600.0
"""For one PUT to a signed URL, which lives for an hour."""
_PIECE = 1 << 20


def dataset_id(upload: CheckedUpload) -> str:
    """An id made of the content's hash: the same data has the same dataset."""
    return upload.name.removesuffix(".jsonl")


def send(client: Fireworks, upload: CheckedUpload) -> str:
    """Create the record and fill it; the dataset's id. One that is READY already is left."""
    wanted = dataset_id(upload)
    record: Any = {"user_uploaded": {}, "example_count": str(_rows(upload))}
    try:
        with translated():
            client.datasets.create(dataset_id=wanted, dataset=record)
    except VendorError as error:
        if error.status != 409:
            raise
        if state(client, wanted).ready:
            return wanted
    if upload.bytes <= LARGEST_REQUEST:
        with translated(), upload.open() as stream:
            client.datasets.upload(wanted, file=(upload.name, stream))
    else:
        _send_signed(client, wanted, upload)
    return wanted


def _send_signed(client: Fireworks, wanted: str, upload: CheckedUpload) -> None:
    import httpx

    size = str(upload.bytes)
    with translated():
        signed = client.datasets.get_upload_endpoint(wanted, filename_to_size={upload.name: size})
        url = (signed.filename_to_signed_urls or {})[upload.name]
    headers = {
        "Content-Type": "application/octet-stream",
        "X-Goog-Content-Length-Range": f"{size},{size}",
    }
    require_encrypted("fireworks", [url])
    # A bucket, not the API: no key goes there.
    with translated(), upload.open() as stream:
        answer = httpx.put(url, content=stream, headers=headers, timeout=UPLOAD_SECONDS)
    require_done(answer)
    with translated():
        client.datasets.validate_upload(wanted, body={})


def state(client: Fireworks, wanted: str) -> FileState:
    """GET datasets/{id}."""
    try:
        with translated():
            found = client.datasets.get(wanted)
            status, raw = found.status, found.state
    except VendorError as error:
        if error.status == 404:
            return FileState(ready=False, missing=True)
        raise
    if status is not None and status.code not in (None, "OK"):
        return FileState(ready=False, error=status.message or str(status.code))
    return FileState(ready=raw == "READY")


def _rows(upload: CheckedUpload) -> int:
    """How many lines it has: the vendor wants the number from the client."""
    with upload.open() as stream:
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(_PIECE), b""))
