"""Datasets: a record first, then its bytes, then a while until it is READY.

Two ways in, both from the SDK: one multipart request (``:upload``, up to 150 MB), or
``:getUploadEndpoint``, a PUT to each signed URL and ``:validateUpload``. Unverified: that
``:upload`` alone makes a dataset ready, how long that takes (here one second), that a second
upload replaces the first, and that a dataset can be deleted while a job reads it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import Response

from ftbridge.testing.plumbing import Call

from .data import estimate_tokens
from .errors import exists, from_problem, invalid, not_found, not_now
from .paging import masked, name, page, parameters, require_id
from .schema import CREATE_DATASET
from .store import Dataset, Emulator, stamp

READY_SECONDS = 1.0


def find(emulator: Emulator, dataset_id: str) -> Dataset:
    """A dataset by id; raises the vendor's 404."""
    found = emulator.store.datasets.get(dataset_id)
    if found is None:
        raise not_found(f"dataset {name('datasets', dataset_id)}")
    return found


def ready(dataset: Dataset, now: float) -> bool:
    """Whether a job can be created from it."""
    return dataset.ready_at is not None and now >= dataset.ready_at


def _view(dataset: Dataset, now: float) -> dict[str, Any]:
    done = ready(dataset, now)
    count = {"estimatedTokenCount": str(estimate_tokens(dataset.content))} if done else {}
    return {
        **dataset.settings,
        **count,
        "name": name("datasets", dataset.id),
        "state": "READY" if done else "UPLOADING",
        "status": {"code": "OK", "message": ""},
        "createTime": stamp(dataset.created),
        "updateTime": stamp(dataset.ready_at if done and dataset.ready_at else dataset.created),
        "createdBy": "someone@example.com",
    }


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST datasets: the record alone; the client chooses the id, in the body."""
    parameters(call, ())
    for problem in CREATE_DATASET.problems(call.body):
        raise from_problem(problem)
    dataset_id = require_id(call.body["datasetId"], "datasetId")
    settings = call.body["dataset"]
    if "userUploaded" not in settings:
        raise invalid("dataset: this emulator knows user_uploaded datasets only")
    if not settings.get("exampleCount", "0").isdigit():
        raise invalid("dataset.exampleCount: not an int64")
    if dataset_id in emulator.store.datasets:
        raise exists(f"dataset {dataset_id}")
    dataset = Dataset(dataset_id, settings, call.now)
    emulator.store.datasets[dataset_id] = dataset
    return _view(dataset, call.now)


async def list_datasets(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET datasets."""
    store = emulator.store
    rows = [
        _view(each, call.now)
        for each in store.datasets.values()
        if store.listed(each.id, each.created, call.now)
    ]
    return page("datasets", rows, call)


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET datasets/{id}."""
    query = parameters(call, ("readMask",))
    return masked(_view(find(emulator, call.path["id"]), call.now), query.get("readMask"))


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE datasets/{id}; the name is free again."""
    del emulator.store.datasets[find(emulator, call.path["id"]).id]
    return {}


def _finish(emulator: Emulator, dataset: Dataset, now: float) -> None:
    dataset.ready_at = now + READY_SECONDS / emulator.speed


async def upload(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST datasets/{id}:upload, multipart; the answer is OpenAI's file object."""
    dataset = find(emulator, call.path["id"])
    sent = call.body.get("file") if isinstance(call.body, dict) else None
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise invalid("file: expected a multipart field with a file name")
    if set(call.body) != {"file"}:
        raise invalid("file: the only field of this form")
    if not sent.filename.endswith(".jsonl"):
        raise invalid("file: expected a .jsonl file")
    if not sent.size:
        raise invalid("file: is empty")
    if sent.size > emulator.store.max_upload_bytes:
        raise invalid(f"file: larger than {emulator.store.max_upload_bytes} bytes")
    dataset.files = {sent.filename: await sent.read()}
    _finish(emulator, dataset, call.now)
    return {
        "id": dataset.id,
        "object": "file",
        "bytes": sent.size,
        "created_at": int(call.now),
        "filename": sent.filename,
        "purpose": "fine-tune",
    }


async def upload_endpoint(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST :getUploadEndpoint: registers the whole set of files anew, and signs a URL for each."""
    dataset = find(emulator, call.path["id"])
    body = call.body if isinstance(call.body, dict) else {}
    sizes = body.get("filenameToSize")
    if set(body) - {"filenameToSize", "readMask"} or not isinstance(sizes, dict) or not sizes:
        raise invalid("filenameToSize: expected a map of names and sizes, and nothing else")
    for file, size in sizes.items():
        if not (isinstance(size, str) and size.isdigit() and int(size)):
            raise invalid(f"filenameToSize[{file}]: expected an int64 as a string, above 0")
        if not file.endswith(".jsonl") or "/" in file:
            raise invalid(f"filenameToSize[{file}]: expected a plain name ending in .jsonl")
    dataset.registered = {file: int(size) for file, size in sizes.items()}
    dataset.files = {}
    dataset.ready_at = None
    bucket = f"{call.base}/signed/datasets/{dataset.id}"
    urls = {file: f"{bucket}/{quote(file)}?signature=sandbox" for file in dataset.registered}
    return {"filenameToSignedUrls": urls}


async def put_signed(emulator: Emulator, call: Call) -> Response:
    """PUT to a signed URL: a bucket, not the API; no key, and the size that was signed."""
    dataset = emulator.store.datasets.get(call.path["id"])
    signed = dataset.registered.get(call.path["file"]) if dataset else None
    if dataset is None or signed is None or call.query != {"signature": "sandbox"}:
        return Response("SignatureDoesNotMatch", 403)
    if not isinstance(call.body, bytes) or len(call.body) != signed:
        return Response("EntityTooLarge or too small", 400)
    dataset.files[call.path["file"]] = call.body
    return Response("")


async def validate_upload(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST :validateUpload: every registered file must have come."""
    dataset = find(emulator, call.path["id"])
    if call.body != {}:
        raise invalid("expected an empty object")
    missing = sorted(set(dataset.registered) - set(dataset.files))
    if missing or not dataset.registered:
        raise not_now(f"not uploaded: {', '.join(missing) or 'no file was registered'}")
    _finish(emulator, dataset, call.now)
    return {}


async def download_endpoint(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET :getDownloadEndpoint: a signed URL for each file."""
    parameters(call, ("readMask",))
    dataset = find(emulator, call.path["id"])
    if not ready(dataset, call.now):
        raise not_now("the dataset is not READY")
    bucket = f"{call.base}/signed/datasets/{dataset.id}"
    urls = {file: f"{bucket}/{quote(file)}?signature=sandbox" for file in dataset.files}
    return {"filenameToSignedUrls": urls}


async def get_signed(emulator: Emulator, call: Call) -> Response:
    """GET of a signed URL."""
    dataset = emulator.store.datasets.get(call.path["id"])
    content = dataset.files.get(call.path["file"]) if dataset else None
    if content is None or call.query != {"signature": "sandbox"}:
        return Response("SignatureDoesNotMatch", 403)
    return Response(content, media_type="application/octet-stream")
