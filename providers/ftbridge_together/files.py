"""Training files at Together, through the SDK's client."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge.dataset import Dataset
from ftbridge.jobs.spec import DataRef
from ftbridge.policy import CheckedUpload
from ftbridge.provider import RemoteFile
from ftbridge_together.convert import FORMAT

if TYPE_CHECKING:
    from together import Together


def send(client: Together, upload: CheckedUpload) -> RemoteFile:
    """The SDK's upload: announced, sent to the address that comes back, given to validation.

    It takes nothing but a path, whose last part it tells the vendor: hence a link to the file,
    under the name that names nobody.
    """
    with tempfile.TemporaryDirectory(prefix="ftbridge-") as folder, upload.open() as stream:
        path = Path(folder, upload.name)
        path.symlink_to(Path(stream.name).absolute())
        made = client.files.upload(path, purpose="fine-tune", check=False)
        return RemoteFile(made.id, made.bytes)


def listed(client: Together, name: str, size: int) -> RemoteFile | None:
    """A file of this name and size whose upload was finished; the list has no pages."""
    for item in client.files.list().data:
        if (item.filename, item.bytes) == (name, size) and item.processing_status != "PENDING":
            return RemoteFile(item.id, item.bytes)
    return None


def sent(client: Together, data: DataRef) -> str | None:
    """The id of the file that an upload of this data has made, by the hash in its name."""
    digest, size = hashlib.sha256(), 0
    for numbered in Dataset(data.path).examples():
        line = FORMAT.encode(numbered.example).line + b"\n"
        digest.update(line)
        size += len(line)
    for item in client.files.list().data:
        if digest.hexdigest()[:24] in item.filename and item.bytes == size:
            return str(item.id)
    return None
