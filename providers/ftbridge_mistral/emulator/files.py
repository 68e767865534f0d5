"""Files as mistralai 3.7.0 uploads them: multipart with ``purpose``, ``visibility``, ``expiry``.

Only ``.jsonl`` for fine-tuning and 512 MB at most: the SDK's docstring. The unit of ``expiry`` is
unverified (hours here); content is looked at by the job only.
"""

from __future__ import annotations

import uuid
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from ftbridge.testing.plumbing import Call

from .errors import invalid, not_found, refused
from .paging import page, parameters
from .store import Emulator, StoredFile

PURPOSES = ("fine-tune", "batch", "ocr", "agentic_safety")


def view(file: StoredFile) -> dict[str, Any]:
    """The file object."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": len(file.content),
        "created_at": int(file.created),
        "filename": file.filename,
        "purpose": file.purpose,
        "sample_type": "instruct",
        "source": "upload",
        "num_lines": len(file.content.splitlines()),
        "mimetype": "application/jsonl",
        "signature": None,
        "expires_at": None if file.expires is None else int(file.expires),
        "visibility": file.visibility,
    }


async def upload(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST files."""
    parameters(call, ())
    form = call.body if isinstance(call.body, dict) else {}
    for name in form.keys() - {"file", "purpose", "visibility", "expiry"}:
        raise invalid(name, "unknown field", "extra_forbidden")
    sent = form.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise invalid("file", "field required", "missing")
    purpose, visibility = form.get("purpose", "fine-tune"), form.get("visibility", "workspace")
    if purpose not in PURPOSES:
        raise invalid("purpose", f"expected one of {', '.join(PURPOSES)}", "enum")
    if visibility not in ("workspace", "user"):
        raise invalid("visibility", "expected workspace or user", "enum")
    expiry = form.get("expiry")
    if expiry is not None and not str(expiry).isdecimal():
        raise invalid("expiry", "expected an integer", "int_parsing")
    if purpose == "fine-tune" and not sent.filename.endswith(".jsonl"):
        raise invalid("file", "fine-tuning takes .jsonl files only")
    if (sent.size or 0) > emulator.store.max_upload_bytes:
        raise refused(413, "invalid_request_error", "the file is too large")
    expires = None if expiry is None else call.now + 3600 * int(expiry)
    content = await sent.read()
    file = StoredFile(
        str(uuid.uuid4()), sent.filename, purpose, content, call.now, visibility, expires
    )
    emulator.store.files[file.id] = file
    return view(file)


def _find(emulator: Emulator, call: Call) -> StoredFile:
    parameters(call, ())
    file = emulator.store.files.get(call.path["id"])
    if file is None:
        raise not_found(f"file {call.path['id']}")
    return file


async def list_files(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET files, newest first."""
    names = ("page", "page_size", "include_total", "sample_type", "source", "search", "purpose",
             "mimetypes")  # fmt: skip
    query = parameters(call, names)
    rows = [
        view(file)
        for file in reversed(emulator.store.files.values())
        if query.get("purpose", file.purpose) == file.purpose
        and query.get("search", "") in file.filename
        and emulator.store.listed(file.id, file.created, call.now)
    ]
    return page(rows, query)


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET files/{id}."""
    return view(_find(emulator, call)) | {"deleted": False}


async def content(emulator: Emulator, call: Call) -> Response:
    """GET files/{id}/content."""
    return Response(_find(emulator, call).content, media_type="application/octet-stream")


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE files/{id}."""
    file = _find(emulator, call)
    del emulator.store.files[file.id]
    return {"id": file.id, "object": "file", "deleted": True}
