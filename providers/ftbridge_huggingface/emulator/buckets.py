"""Buckets: make, look, list, add and delete files, tokens for the content store, plain reading.

Sources: the bucket methods of ``hf_api.py``, ``_buckets.py`` and ``utils/_xet.py`` in
huggingface_hub 2.4.0.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Field, Record, Text

from .errors import HubError, no_bucket, no_entry, require
from .settings import NAMESPACE, PAGE, Hub
from .store import Bucket

TOKEN_SECONDS = 3600
_CREATE = Record({
    "visibility": Field(Text(("public", "private"))),
    "resourceGroupId": Field(Text()),
    "region": Field(Text(("us", "eu"))),
})  # fmt: skip


async def create(hub: Hub, call: Call) -> dict[str, Any]:
    """POST /api/buckets/{namespace}/{name}: public unless the body says private."""
    require(_CREATE, call.body or {})
    bucket_id = _id(call)
    if bucket_id in hub.store.buckets:
        raise HubError(409, "You already created this bucket")
    private = (call.body or {}).get("visibility") == "private"
    made = hub.store.new_bucket(bucket_id, private)
    # Without a host: the SDK wants that of its own HF_ENDPOINT, which may be a proxy before us.
    return {"id": made.id, "url": f"/buckets/{made.id}"}


async def info(hub: Hub, call: Call) -> dict[str, Any]:
    """GET /api/buckets/{namespace}/{name}."""
    bucket = _bucket(hub, call)
    files = bucket.files()
    return {
        "id": bucket.id,
        "private": bucket.private,
        "createdAt": _time(bucket.created_at),
        "size": sum(path.stat().st_size for path in files),
        "totalFiles": len(files),
    }


async def delete(hub: Hub, call: Call) -> Response:
    """DELETE /api/buckets/{namespace}/{name}."""
    bucket = _bucket(hub, call)
    del hub.store.buckets[bucket.id]
    return Response(status_code=204)


async def tree(hub: Hub, call: Call) -> Response:
    """GET /api/buckets/{namespace}/{name}/tree[/{prefix}]: all files below, a page at a time."""
    bucket = _bucket(hub, call)
    prefix, start = call.path.get("prefix", ""), int(call.query.get("cursor", "0"))
    files = bucket.files(prefix)
    headers = {}
    if len(files) > start + PAGE:
        below = f"/{prefix.replace('/', '%2F')}" if prefix else ""
        url = f"{call.base}/api/buckets/{bucket.id}/tree{below}?recursive=true"
        headers["Link"] = f'<{url}&cursor={start + PAGE}>; rel="next"'
    return JSONResponse(_shown(hub, bucket, files[start : start + PAGE]), headers=headers)


async def paths_info(hub: Hub, call: Call) -> Response:
    """POST /api/buckets/{namespace}/{name}/paths-info: those of the paths that are files."""
    bucket = _bucket(hub, call)
    files = [bucket.folder / path for path in call.body["paths"]]
    return JSONResponse(_shown(hub, bucket, [path for path in files if path.is_file()]))


async def batch(hub: Hub, call: Call) -> Response:
    """POST /api/buckets/{namespace}/{name}/batch: one operation a line, each on its own."""
    bucket, failed, done = _bucket(hub, call), [], 0
    for operation in map(json.loads, call.body.splitlines()):
        path, kind = _place(bucket, operation["path"]), operation["type"]
        try:
            if kind == "deleteFile":
                path.unlink()
            elif kind == "addFile":
                hub.store.content.bring(operation["xetHash"], path)
            else:
                raise HubError(400, f"Invalid operation: {kind}")
            done += 1
        except FileNotFoundError:
            failed.append({"path": operation["path"], "error": "Entry not found"})
        except KeyError:
            failed.append({"path": operation["path"], "error": "Unknown content"})
    answer = {"success": not failed, "processed": done + len(failed), "succeeded": done}
    return JSONResponse({**answer, "failed": failed}, 422 if failed and not done else 200)


async def write_token(hub: Hub, call: Call) -> Response:
    """GET .../xet-write-token: where content goes."""
    _bucket(hub, call)
    return _granted(hub.store.content.to_write(), call)


async def read_token(hub: Hub, call: Call) -> Response:
    """GET .../xet-read-token: where content comes from."""
    return _granted(hub.store.content.to_read(_bucket(hub, call).files()), call)


async def resolve(hub: Hub, call: Call) -> Response:
    """GET or HEAD /buckets/{namespace}/{name}/resolve/{path}: the content, and where it is."""
    bucket = _bucket(hub, call)
    path = _place(bucket, call.path["path"])
    if not path.is_file():
        raise no_entry()
    (xet_hash,) = hub.store.content.hashes([path])
    route = f"{call.base}/api/buckets/{bucket.id}/xet-read-token"
    headers = {
        "X-Xet-Hash": xet_hash,
        "X-Xet-Refresh-Route": route,
        "X-Linked-Size": str(path.stat().st_size),
    }
    return Response(path.read_bytes(), media_type="application/octet-stream", headers=headers)


def _granted(address: str, call: Call) -> Response:
    expires = int(call.now) + TOKEN_SECONDS
    body = {"accessToken": "xet", "exp": expires, "casUrl": address}
    headers = {"X-Xet-Cas-Url": address, "X-Xet-Access-Token": "xet"}
    return JSONResponse(body, headers={**headers, "X-Xet-Token-Expiration": str(expires)})


def _shown(hub: Hub, bucket: Bucket, files: list[Path]) -> list[dict[str, Any]]:
    rows = []
    for path in files:
        try:
            (xet_hash,), stat = hub.store.content.hashes([path]), path.stat()
        except OSError:  # the machine has taken it away since
            continue
        rows.append({
            "type": "file",
            "path": path.relative_to(bucket.folder).as_posix(),
            "size": stat.st_size,
            "xetHash": xet_hash,
            "mtime": _time(stat.st_mtime),
            "uploadedAt": _time(stat.st_mtime),
        })  # fmt: skip
    return rows


def _place(bucket: Bucket, name: str) -> Path:
    path = (bucket.folder / name).resolve()
    if not path.is_relative_to(bucket.folder.resolve()):
        raise HubError(400, "Invalid path")
    return path


def _id(call: Call) -> str:
    namespace = call.path["namespace"]
    if namespace not in (NAMESPACE, "me"):
        raise HubError(403, f"You don't have the rights to create a bucket in {namespace}")
    return f"{NAMESPACE}/{call.path['name']}"


def _bucket(hub: Hub, call: Call) -> Bucket:
    found = hub.store.buckets.get(f"{call.path['namespace']}/{call.path['name']}")
    if found is None:
        raise no_bucket()
    return found


def _time(seconds: float) -> str:
    stamp = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")
