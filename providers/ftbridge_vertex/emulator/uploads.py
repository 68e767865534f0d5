"""Uploads to Cloud Storage: of bytes alone, of a resource and its bytes, and in parts.

A resumable upload's first answer carries its address in ``location``; parts are PUT there with
``content-range``, 308 says how much has arrived (``range``), the last part answers with the
resource. ``*/N`` asks how far it is.
"""

from __future__ import annotations

import json
import re
import secrets
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Call

from .errors import StorageError
from .storage import match, put, require_bucket, sums, view
from .store import Emulator, Session, StoredObject

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


async def begin(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
    """POST upload/storage/v1/b/{bucket}/o."""
    require_bucket(emulator, call.path["bucket"])
    kind = call.query.get("uploadType")
    if kind == "media":
        attributes = {"contentType": call.body.headers.get("content-type", "")}
        return _store(emulator, call, attributes, call.body, call.query)
    if kind == "multipart":
        return _store(emulator, call, *_parts(call), call.query)
    if kind == "resumable":
        return _announce(emulator, call)
    raise StorageError(400, "invalid", f"uploadType {kind!r} is not media, multipart or resumable")


def _parts(call: Call) -> tuple[dict[str, Any], bytes]:
    """The resource and the bytes of a multipart/related body."""
    head = f"Content-Type: {call.body.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + call.body)
    # The parser reads line ends as it likes: the bytes are cut out by the boundary instead.
    boundary = message.get_boundary()
    pieces = call.body.split(b"--" + str(boundary).encode()) if boundary else []
    if len(pieces) < 4:
        raise StorageError(400, "badRequest", "Malformed multipart body.")
    attributes = _read_json(_payload(pieces[1])[1])
    kind, content = _payload(b"--".join(pieces[2:-1]))
    return {"contentType": kind, **attributes}, content


def _payload(piece: bytes) -> tuple[str, bytes]:
    head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    kind = re.search(rb"content-type:\s*([^\r\n;]+)", head, re.IGNORECASE)
    return (kind[1].decode() if kind else "application/octet-stream"), body.removesuffix(b"\r\n")


def _read_json(raw: bytes) -> dict[str, Any]:
    try:
        read = json.loads(raw or b"{}")
    except ValueError as error:
        raise StorageError(400, "parseError", "Parse Error") from error
    if not isinstance(read, dict):
        raise StorageError(400, "parseError", "Parse Error")
    return read


def _announce(emulator: Emulator, call: Call) -> Response:
    attributes = _read_json(call.body)
    attributes.setdefault("contentType", call.body.headers.get("x-upload-content-type", ""))
    session_id = secrets.token_hex(16)
    made = Session(call.path["bucket"], attributes, call.query)
    emulator.store.sessions[session_id] = made
    query = f"uploadType=resumable&upload_id={session_id}"
    address = f"{call.base}/upload/storage/v1/b/{made.bucket}/o?{query}"
    return Response(status_code=200, headers={"location": address})


async def resume(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
    """PUT upload/storage/v1/b/{bucket}/o?upload_id=...: a part, or the question how far it is."""
    session = emulator.store.sessions.get(call.query.get("upload_id", ""))
    if session is None:
        raise StorageError(404, "notFound", "No such upload.")
    span = _RANGE.fullmatch(call.body.headers.get("content-range", ""))
    if span is None:
        session.content[:] = call.body
    elif span[1] is not None:
        start = int(span[1])
        if start > len(session.content) or int(span[2]) - start + 1 != len(call.body):
            raise StorageError(400, "badRequest", "Invalid content range.")
        session.content[start:] = call.body
    if span is not None and (span[3] == "*" or int(span[3]) != len(session.content)):
        arrived = {"range": f"bytes=0-{len(session.content) - 1}"} if session.content else {}
        return Response(status_code=308, headers=arrived)
    del emulator.store.sessions[call.query["upload_id"]]
    return _store(emulator, call, session.attributes, bytes(session.content), session.query)


def _store(
    emulator: Emulator,
    call: Call,
    attributes: dict[str, Any],
    content: bytes,
    query: dict[str, str],
) -> Response:
    bucket = call.path["bucket"]
    name = attributes.get("name") or query.get("name")
    if not isinstance(name, str) or not name:
        raise StorageError(400, "required", "Required")
    match(query, emulator.store.objects.get((bucket, name)))
    crc, md5 = sums(content)
    for key, right in (("crc32c", crc), ("md5Hash", md5)):
        if attributes.get(key, right) != right:
            raise StorageError(400, "invalid", f"Provided {key} doesn't match calculated {right}.")
    made = StoredObject(
        bucket, name, content, 0, call.now, str(attributes.get("contentType") or "text/plain"),
        dict(attributes.get("metadata") or {}), query.get("kmsKeyName"),
    )  # fmt: skip
    return JSONResponse(view(put(emulator, made), call.base))


async def abandon(emulator: Emulator, call: Call) -> Response:
    """DELETE upload/...?upload_id=...: 499, as the service says it."""
    emulator.store.sessions.pop(call.query.get("upload_id", ""), None)
    return Response(status_code=499)
