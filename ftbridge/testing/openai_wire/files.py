"""``/v1/files``. Uploads are ``processed`` at once; jobs read them later.

Unverified: status and wording for a file that is too large (here 413), and for another
ending than .jsonl (here 400).
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from ftbridge.testing.plumbing import Call

from . import lifecycle
from .errors import ApiError, from_problem, no_such_file
from .paging import page, parameters
from .schema import CREATE_FILE
from .store import Emulator, StoredFile, new_id

_MOST = 10_000


def _view(file: StoredFile) -> dict[str, Any]:
    return {
        "object": "file",
        "id": file.id,
        "bytes": len(file.content),
        "created_at": int(file.created),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
        "expires_at": None if file.expires is None else int(file.expires),
    }


def find(emulator: Emulator, file_id: str, now: float, param: str = "id") -> StoredFile:
    """A living file by id; raises the vendor's 404."""
    _store_results(emulator, now)
    file = emulator.store.files.get(file_id)
    if file is None or not file.living(now):
        raise no_such_file(file_id, param)
    return file


def _store_results(emulator: Emulator, now: float) -> None:
    """Give every job that has succeeded by now its results file, once."""
    for job in emulator.store.jobs.values():
        done = lifecycle.status(job, now, emulator.timeline) == "succeeded"
        if done and not job.result_stored:
            file = lifecycle.results_file(job, now, emulator.timeline)
            emulator.store.files[file.id] = file
            job.result_stored = True


async def upload(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /files."""
    body = call.body
    for problem in CREATE_FILE.problems(body):
        raise from_problem(problem)
    sent = body["file"]
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise ApiError("'file' must be an upload with a file name.", "file", "invalid_type")
    if body["purpose"] == "fine-tune" and not sent.filename.endswith(".jsonl"):
        message = f"Invalid file format for fine-tuning: '{sent.filename}' is not a .jsonl file."
        raise ApiError(message, "file", "invalid_file_format")
    most = emulator.store.max_file_bytes
    if (sent.size or 0) > most:
        raise ApiError(f"The file is larger than {most} bytes.", "file", status=413)
    expiry = body.get("expires_after")
    file = StoredFile(
        new_id("file-"),
        sent.filename,
        body["purpose"],
        await sent.read(),
        call.now,
        None if expiry is None else call.now + expiry["seconds"],
    )
    emulator.store.files[file.id] = file
    return _view(file)


async def list_files(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /files."""
    query = parameters(call, {"after", "limit", "order", "purpose"})
    order = query.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise ApiError(f"Invalid value: '{order}'.", "order", "invalid_value")
    _store_results(emulator, call.now)
    files = [
        file
        for file in emulator.store.files.values()
        if file.living(call.now)
        and emulator.store.listed(file.id, file.created, call.now)
        and query.get("purpose", file.purpose) == file.purpose
    ]
    files = files if order == "asc" else files[::-1]
    return page(files, query, lambda file: file.id, _view, _MOST, _MOST)


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /files/{id}."""
    parameters(call, ())
    return _view(find(emulator, call.path["file_id"], call.now))


async def content(emulator: Emulator, call: Call) -> Response:
    """GET /files/{id}/content."""
    parameters(call, ())
    file = find(emulator, call.path["file_id"], call.now)
    return Response(file.content, media_type="application/octet-stream")


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE /files/{id}. A job that was created from it goes on."""
    file = find(emulator, call.path["file_id"], call.now)
    del emulator.store.files[file.id]
    return {"object": "file", "id": file.id, "deleted": True}
