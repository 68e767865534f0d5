"""Training files at Together, through the SDK's client."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge.policy import CheckedUpload
from ftbridge.provider import RemoteFile

if TYPE_CHECKING:
    from together import Together


def send(client: Together, upload: CheckedUpload) -> RemoteFile:
    """The SDK's upload: announced, sent to the address that comes back, given to validation.

    It takes nothing but a path, whose last part it tells the vendor: hence a link under the name
    that names nobody. Where the system has ``/proc`` it leads to the very file that was checked,
    whatever its path names by then.
    """
    with tempfile.TemporaryDirectory(prefix="ftbridge-") as folder, upload.open() as stream:
        opened = Path("/proc/self/fd", str(stream.fileno()))
        path = Path(folder, upload.name)
        path.symlink_to(opened if opened.exists() else Path(stream.name).absolute())
        made = client.files.upload(path, purpose="fine-tune", check=False)
        return RemoteFile(made.id, made.bytes)


def find(client: Together, name: str, size: int) -> RemoteFile | None:
    """The file of that size whose name holds ``name`` and whose upload was finished, if there is
    one; the list has no pages."""
    for item in client.files.list().data:
        finished = item.processing_status != "PENDING"
        if name in item.filename and item.bytes == size and finished:
            return RemoteFile(item.id, item.bytes)
    return None
