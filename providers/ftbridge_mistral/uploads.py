"""Training files at Mistral, through the SDK's client."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from ftbridge import clock
from ftbridge.policy import CheckedUpload
from ftbridge.provider import RemoteFile
from ftbridge_mistral.routes import PAGE

if TYPE_CHECKING:
    from mistralai.client import Mistral


def send(client: Mistral, upload: CheckedUpload) -> RemoteFile:
    """POST /v1/files with purpose ``fine-tune``."""
    with upload.open() as stream:
        file: Any = {"file_name": upload.name, "content": stream}
        return _remote(client.files.upload(file=file, purpose="fine-tune"))


def find(client: Mistral, name: str, size: int) -> RemoteFile | None:
    """The file of that size whose name holds ``name``, if there is one."""
    for item in _listed(client):
        if name in item.filename and item.size_bytes == size:
            return _remote(item)
    return None


def _listed(client: Mistral) -> Iterator[Any]:
    for number in count():
        page = client.files.list(page=number, page_size=PAGE, purpose="fine-tune")
        yield from page.data
        if len(page.data) < PAGE:
            return


def _remote(item: Any) -> RemoteFile:
    """A file object of the SDK; older SDKs know no expiry."""
    expires = getattr(item, "expires_at", None)
    moment = clock.from_epoch(expires) if isinstance(expires, int) else None
    return RemoteFile(item.id, item.size_bytes, moment)
