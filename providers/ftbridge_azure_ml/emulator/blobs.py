"""The blob service: containers and block blobs, as the storage SDK asks for them.

Source: the REST reference of the blob service (learn.microsoft.com), version 2021-12-02 and later:
Put Blob, Put Block, Put Block List, Get Blob with ranges, Get Blob Properties, Delete Blob, List
Blobs, Create Container, Get Container Properties. Signatures of shared keys are not verified, but
the account must be the right one. Not emulated: leases, snapshots, versions, tiers, page and append
blobs, metadata and conditions other than ``If-None-Match: *`` on a write.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.responses import Response

from ftbridge.testing.plumbing import Call

from .errors import BlobError
from .store import Emulator

MOST_LISTED = 5000
_IGNORED = {"timeout", "sv", "sr", "sig", "se", "st", "sp", "spr", "sip", "ss", "srt"}
"""Parameters of any call: a time limit, and those of a SAS."""
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Sent(bytes):
    """A body with the request's headers, in lower case."""

    headers: dict[str, str]


async def put_container(emulator: Emulator, call: Call) -> Response:
    """Create Container."""
    _only(call, restype="container")
    if not emulator.store.disk.make(call.path["container"]):
        raise BlobError(409, "ContainerAlreadyExists", "The specified container already exists.")
    return Response(status_code=201)


async def get_container(emulator: Emulator, call: Call) -> Response:
    """Get Container Properties, or List Blobs."""
    disk, container = emulator.store.disk, call.path["container"]
    disk.path(container, "")
    if call.query.get("comp") != "list":
        _only(call, restype="container")
        return Response(headers={"ETag": '"0x1"', "Last-Modified": _date(0.0)})
    return _listing(emulator, call, container)


def _listing(emulator: Emulator, call: Call, container: str) -> Response:
    query = call.query
    known = {"restype", "comp", "prefix", "marker", "maxresults", "include"}
    if strange := sorted(set(query) - known - _IGNORED):
        raise BlobError(400, "UnsupportedQueryParameter", f"not emulated: {', '.join(strange)}")
    most = min(int(query.get("maxresults", MOST_LISTED)), MOST_LISTED)
    marker = query.get("marker", "")
    blobs = emulator.store.disk.blobs(container, query.get("prefix", ""))
    found = [(name, path) for name, path in blobs if name >= marker]
    shown, rest = found[:most], found[most:]
    rows = "".join(
        f"<Blob><Name>{escape(name)}</Name><Properties>"
        f"<Last-Modified>{_date(path.stat().st_mtime)}</Last-Modified><Etag>{_etag(path)}</Etag>"
        f"<Content-Length>{path.stat().st_size}</Content-Length>"
        "<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType>"
        "</Properties></Blob>"
        for name, path in shown
    )
    following = escape(rest[0][0]) if rest else ""
    xml = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<EnumerationResults ServiceEndpoint="{call.base}" ContainerName="{container}">'
        f"<Blobs>{rows}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
    )
    return Response(xml, media_type="application/xml")


async def put(emulator: Emulator, call: Call) -> Response:
    """Put Blob, Put Block or Put Block List, by ``comp``."""
    disk = emulator.store.disk
    container, name = call.path["container"], call.path["blob"]
    match call.query.get("comp"):
        case None:
            _whole(emulator, call)
        case "block":
            disk.stage(container, name, call.query["blockid"], bytes(call.body))
            return Response(status_code=201)
        case "blocklist":
            _free(emulator, call)
            try:
                listed = ElementTree.fromstring(call.body)  # noqa: S314 -- our own client's
            except ElementTree.ParseError:
                raise BlobError(400, "InvalidXmlDocument", "XML is not valid.") from None
            if not disk.commit(container, name, [str(row.text) for row in listed]):
                raise BlobError(400, "InvalidBlockList", "The specified block list is invalid.")
        case other:
            raise BlobError(400, "UnsupportedQueryParameter", f"not emulated: comp={other}")
    path = disk.path(container, name)
    return Response(status_code=201, headers=_stamps(path))


def _whole(emulator: Emulator, call: Call) -> None:
    kind = call.body.headers.get("x-ms-blob-type")
    if kind != "BlockBlob":
        given = "is missing" if kind is None else f"{kind} is not emulated"
        raise BlobError(400, "MissingRequiredHeader", f"x-ms-blob-type {given}")
    _free(emulator, call)
    emulator.store.disk.write(call.path["container"], call.path["blob"], bytes(call.body))


def _free(emulator: Emulator, call: Call) -> None:
    """Refuse to overwrite where the client asked for that."""
    path = emulator.store.disk.path(call.path["container"], call.path["blob"])
    if call.body.headers.get("if-none-match") == "*" and path.is_file():
        raise BlobError(409, "BlobAlreadyExists", "The specified blob already exists.")


async def get(emulator: Emulator, call: Call) -> Response:
    """Get Blob and, for HEAD, its properties."""
    _only(call)
    path = _there(emulator, call)
    content = path.read_bytes()
    headers = _stamps(path) | {
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
        "x-ms-blob-type": "BlockBlob",
    }
    asked = call.body.headers.get("x-ms-range") or call.body.headers.get("range")
    if asked is None:
        return Response(content, headers=headers)
    start, end = _range(asked, len(content))
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], 206, headers)


def _range(asked: str, size: int) -> tuple[int, int]:
    """First and last byte."""
    found = _RANGE.fullmatch(asked)
    if found is None:
        raise BlobError(400, "InvalidHeaderValue", f"a range that is none: {asked}")
    start = int(found[1])
    if start >= size:
        raise BlobError(416, "InvalidRange", "The range specified is invalid for this resource.")
    return start, min(int(found[2] or size), size - 1)


async def delete(emulator: Emulator, call: Call) -> Response:
    """Delete Blob."""
    _there(emulator, call)
    emulator.store.disk.remove(call.path["container"], call.path["blob"])
    return Response(status_code=202)


def _there(emulator: Emulator, call: Call) -> Path:
    path = emulator.store.disk.path(call.path["container"], call.path["blob"])
    if not path.is_file():
        raise BlobError(404, "BlobNotFound", "The specified blob does not exist.")
    return path


def _only(call: Call, **allowed: str) -> None:
    """Refuse what this emulator would pass over."""
    given = {key: value for key, value in call.query.items() if key not in _IGNORED}
    if given != allowed:
        raise BlobError(400, "UnsupportedQueryParameter", f"not emulated: {given}")


def _stamps(path: Path) -> dict[str, Any]:
    return {"ETag": _etag(path), "Last-Modified": _date(path.stat().st_mtime)}


def _etag(path: Path) -> str:
    return f'"0x{path.stat().st_mtime_ns:X}"'


def _date(moment: float) -> str:
    return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)
