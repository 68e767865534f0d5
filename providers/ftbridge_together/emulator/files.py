"""``/v1/files``: announce (302 to an upload address), PUT the bytes there, ask for validation.

From ``UploadManager`` of the SDK: the address comes in ``Location``, the id in
``X-Together-File-Id``, a file that is there already is a 409 with its ``file_id``. That "there
already" means the same checksum is a reading of that code (unverified).
"""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.responses import Response

from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Field, Record, Text

from .data import read
from .errors import ApiError, not_found
from .schema import check
from .store import Emulator, StoredFile, new_id

_ANNOUNCE = Record({
    "purpose": Field(Text(choices=("fine-tune", "calibration", "eval", "batch-api")),
                     required=True),
    "file_name": Field(Text(shortest=1), required=True),
    "file_type": Field(Text(choices=("csv", "jsonl", "parquet")), required=True),
    "checksum": Field(Text(shortest=64, longest=64), required=True),
})  # fmt: skip
VALIDATION_SECONDS = 2.0


async def announce(emulator: Emulator, call: Call) -> Response:
    """POST /files: where to send the bytes."""
    body = check(_ANNOUNCE, call.body)
    for known in emulator.store.files.values():
        if known.checksum == body["checksum"] and known.preprocessed_at is not None:
            raise ApiError("file already exists", status=409, extra={"file_id": known.id})
    made = StoredFile(
        new_id("file-"), body["file_name"], body["purpose"], body["file_type"],
        body["checksum"], call.now,
    )  # fmt: skip
    emulator.store.files[made.id] = made
    place = {"Location": f"{call.base}/upload/{made.id}", "X-Together-File-Id": made.id}
    return Response(status_code=302, headers=place)


async def put(emulator: Emulator, call: Call) -> Response:
    """PUT to the upload address, which is its own credential as a signed URL is."""
    stored = file(emulator, call.path["file_id"])
    if hashlib.sha256(call.body).hexdigest() != stored.checksum:
        return Response("checksum mismatch", 400)
    stored.content = call.body
    return Response()


async def preprocess(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /files/{id}/preprocess: validation begins."""
    stored = file(emulator, call.path["file_id"])
    if stored.content is None:
        raise ApiError("the file was not uploaded")
    stored.preprocessed_at = stored.preprocessed_at or call.now
    if stored.purpose == "fine-tune" and stored.kind == "jsonl":
        stored.report = read(stored.content)
    return view(emulator, stored, call.now)


async def list_files(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /files: all of them, in one piece."""
    listed = [f for f in emulator.store.files.values()
              if emulator.store.listed(f.id, f.created, call.now)]  # fmt: skip
    return {"data": [view(emulator, each, call.now) for each in listed]}


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /files/{id}."""
    return view(emulator, file(emulator, call.path["file_id"]), call.now)


async def content(emulator: Emulator, call: Call) -> Response:
    """GET /files/{id}/content."""
    stored = file(emulator, call.path["file_id"])
    return Response(stored.content or b"", media_type="application/octet-stream")


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE /files/{id}."""
    stored = file(emulator, call.path["file_id"])
    del emulator.store.files[stored.id]
    return {"id": stored.id, "deleted": True}


def file(emulator: Emulator, file_id: str) -> StoredFile:
    """A file by its id, or 404."""
    stored = emulator.store.files.get(file_id)
    if stored is None:
        raise not_found(f"file {file_id}")
    return stored


def status(emulator: Emulator, stored: StoredFile, now: float) -> str:
    """``processing_status`` at a time."""
    if stored.preprocessed_at is None:
        return "PENDING"
    progress = (now - stored.preprocessed_at) * emulator.speed / VALIDATION_SECONDS
    if progress < 1:
        return "QUEUED" if progress < 0.5 else "RUNNING"
    return "INVALID_FORMAT" if stored.report and stored.report.error else "COMPLETED"


def view(emulator: Emulator, stored: StoredFile, now: float) -> dict[str, Any]:
    """The file object; ``FileType`` is capitalised on the wire."""
    state = status(emulator, stored, now)
    seen = {
        "id": stored.id,
        "object": "file",
        "bytes": len(stored.content or b""),
        "created_at": int(stored.created),
        "filename": stored.filename,
        "FileType": stored.kind,
        "purpose": stored.purpose,
        "Processed": state == "COMPLETED",
        "processing_status": state,
    }
    if stored.report and state in {"INVALID_FORMAT", "COMPLETED"}:
        seen["validation_report"] = stored.report.view(stored.id)
    return seen
