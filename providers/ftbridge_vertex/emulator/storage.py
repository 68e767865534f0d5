"""Cloud Storage's JSON API: buckets, objects, lists, downloads. Uploads lie in `uploads`.

Preconditions (``ifGenerationMatch``) hold; an object that is not there answers 404, a bucket too.
Unverified: wordings, and which fields an object resource leaves out. Not emulated: versions,
access control, composing, holds, customer-supplied keys, signed URLs, batches.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import google_crc32c
from starlette.responses import Response

from ftbridge.testing.plumbing import Call

from . import lifecycle
from .errors import ApiError, StorageError, invalid
from .store import Emulator, StoredObject, stamp

_PAGE = 1000


def split(uri: str, field: str) -> tuple[str, str]:
    """Bucket and name of a ``gs://`` address; raises 400."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if uri.startswith("projects/"):
        raise ApiError("UNIMPLEMENTED", "This emulator has no multimodal datasets.")
    if not uri.startswith("gs://") or not bucket:
        raise invalid(f"{field}: {uri!r} is not a Cloud Storage path.", field)
    return bucket, name


def read(emulator: Emulator, uri: str, now: float) -> bytes:
    """What the tuning service reads at an address; raises 400 where there is nothing."""
    bucket, name = split(uri, "dataset_uri")
    write_results(emulator, now)
    found = emulator.store.objects.get((bucket, name))
    if found is None:
        raise invalid(f"Failed to access {uri}: no such object, or no permission.", "dataset_uri")
    return found.content


def write_results(emulator: Emulator, now: float) -> None:
    """Set down what finished jobs of open models have left under their ``outputUri``.

    The folder is that of Google's samples for open models; its file names are PEFT's own
    (unverified).
    """
    for job in emulator.store.jobs.values():
        if job.written or "outputUri" not in job.body:
            continue
        if lifecycle.state(job, now, emulator) != "JOB_STATE_SUCCEEDED":
            continue
        job.written = True
        bucket, prefix = split(job.body["outputUri"], "output_uri")
        folder = f"{prefix.rstrip('/')}/postprocess/node-0/checkpoints/final".lstrip("/")
        config = f'{{"peft_type": "LORA", "base_model_name_or_path": "{job.base_model}"}}'
        weights = (2).to_bytes(8, "little") + b"{}"
        full = job.spec.get("tuningMode") == "TUNING_MODE_FULL"
        names = ("config.json", "model.safetensors") if full else (
            "adapter_config.json", "adapter_model.safetensors",
        )  # fmt: skip
        for name, content in zip(names, (config.encode(), weights), strict=True):
            put(emulator, StoredObject(bucket, f"{folder}/{name}", content, 0, now))


def put(emulator: Emulator, made: StoredObject) -> StoredObject:
    """Store an object under the next generation."""
    made.generation = int(made.created * 1e6) + len(emulator.store.objects)
    before = emulator.store.objects.get((made.bucket, made.name))
    if before is not None and before.generation >= made.generation:
        made.generation = before.generation + 1
    emulator.store.objects[made.bucket, made.name] = made
    return made


def require_bucket(emulator: Emulator, name: str) -> str:
    """The bucket's location; raises 404."""
    location = emulator.store.buckets.get(name)
    if location is None:
        raise StorageError(404, "notFound", "The specified bucket does not exist.")
    return location


def find(emulator: Emulator, call: Call, plain: bool = False) -> StoredObject:
    """The object that a path names; raises 404, or 412 where a precondition fails."""
    bucket, name = call.path["bucket"], call.path["name"]
    require_bucket(emulator, bucket)
    write_results(emulator, call.now)
    found = emulator.store.objects.get((bucket, name))
    wanted = call.query.get("generation")
    if found is None or (wanted and str(found.generation) != wanted):
        raise StorageError(404, "notFound", f"No such object: {bucket}/{name}", plain)
    match(call.query, found)
    return found


def match(query: dict[str, str], found: StoredObject | None) -> None:
    """Hold ``ifGenerationMatch`` against what is there; 0 means nothing."""
    wanted = query.get("ifGenerationMatch")
    if wanted is not None and wanted != (str(found.generation) if found else "0"):
        message = "At least one of the pre-conditions you specified did not hold."
        raise StorageError(412, "conditionNotMet", message)


def sums(content: bytes) -> tuple[str, str]:
    """CRC32C and MD5, in base64."""
    crc = int(google_crc32c.value(content)).to_bytes(4, "big")
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    return base64.b64encode(crc).decode(), base64.b64encode(md5).decode()


def view(each: StoredObject, base: str) -> dict[str, Any]:
    """The object resource."""
    crc, md5 = sums(each.content)
    made = stamp(each.created)
    shown: dict[str, Any] = {
        "kind": "storage#object",
        "id": f"{each.bucket}/{each.name}/{each.generation}",
        "selfLink": f"{base}/storage/v1/b/{each.bucket}/o/{each.name}",
        "name": each.name,
        "bucket": each.bucket,
        "generation": str(each.generation),
        "metageneration": "1",
        "contentType": each.content_type,
        "storageClass": "STANDARD",
        "size": str(len(each.content)),
        "crc32c": crc,
        "md5Hash": md5,
        "etag": f"etag-{each.generation}",
        "timeCreated": made,
        "updated": made,
    }
    if each.metadata:
        shown["metadata"] = each.metadata
    if each.kms_key:
        shown["kmsKeyName"] = f"{each.kms_key}/cryptoKeyVersions/1"
    return shown


async def get_bucket(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET b/{bucket}."""
    name = call.path["bucket"]
    return _bucket_view(name, require_bucket(emulator, name))


def _bucket_view(name: str, location: str) -> dict[str, Any]:
    return {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "location": location.upper(),
        "locationType": "region",
        "storageClass": "STANDARD",
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    }


async def create_bucket(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST b?project=P."""
    name = (call.body or {}).get("name", "")
    if not isinstance(name, str) or not 3 <= len(name) <= 63:
        raise StorageError(400, "invalid", "Invalid bucket name")
    if name in emulator.store.buckets:
        raise StorageError(409, "conflict", "The requested bucket name is not available.")
    location = str(call.body.get("location", "us-central1")).lower()
    emulator.store.buckets[name] = location
    return _bucket_view(name, location)


async def test_permissions(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET b/{bucket}/iam/testPermissions: everything is permitted."""
    require_bucket(emulator, call.path["bucket"])
    asked = [value for name, value in call.pairs if name == "permissions"]
    return {"kind": "storage#testIamPermissionsResponse", "permissions": asked}


async def get_object(emulator: Emulator, call: Call) -> dict[str, Any] | Response:
    """GET b/{bucket}/o/{name}: the resource, or with ``alt=media`` the bytes."""
    if call.query.get("alt") == "media":
        return await download(emulator, call)
    return view(find(emulator, call), call.base)


async def download(emulator: Emulator, call: Call) -> Response:
    """The bytes, or the part that a ``range`` asks for."""
    found = find(emulator, call, plain=True)
    crc, md5 = sums(found.content)
    headers = {
        "x-goog-hash": f"crc32c={crc},md5={md5}",
        "x-goog-generation": str(found.generation),
        "etag": f"etag-{found.generation}",
    }
    body, status, span = found.content, 200, call.body.headers.get("range", "")
    if span.startswith("bytes="):
        first, _, last = span.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(body)), len(body) - 1)
        if start >= len(body):
            raise StorageError(416, "requestedRangeNotSatisfiable", "Range not satisfiable", True)
        headers["content-range"] = f"bytes {start}-{end}/{len(body)}"
        body, status = body[start : end + 1], 206
    return Response(body, status, headers, media_type=found.content_type)


async def list_objects(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET b/{bucket}/o: by name, with prefix and delimiter, in pages."""
    bucket, query = call.path["bucket"], call.query
    require_bucket(emulator, bucket)
    write_results(emulator, call.now)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    found, folders = [], set()
    for (holder, name), each in sorted(emulator.store.objects.items()):
        if holder != bucket or not name.startswith(prefix):
            continue
        rest = name[len(prefix) :]
        if delimiter and delimiter in rest:
            folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
        elif emulator.store.listed(f"gs://{bucket}/{name}", each.created, call.now):
            found.append(each)
    start = int(query.get("pageToken") or 0)
    size = min(int(query.get("maxResults") or _PAGE), _PAGE)
    answer: dict[str, Any] = {"kind": "storage#objects"}
    if shown := found[start : start + size]:
        answer["items"] = [view(each, call.base) for each in shown]
    if folders:
        answer["prefixes"] = sorted(folders)
    if start + size < len(found):
        answer["nextPageToken"] = str(start + size)
    return answer


async def delete_object(emulator: Emulator, call: Call) -> Response:
    """DELETE b/{bucket}/o/{name}: 204, or 404 where it is gone already."""
    found = find(emulator, call)
    del emulator.store.objects[found.bucket, found.name]
    return Response(status_code=204)
