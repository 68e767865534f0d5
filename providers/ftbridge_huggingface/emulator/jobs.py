"""Jobs: create, list by label and stage, inspect, cancel, logs, hardware.

Sources: ``_jobs_api.py`` and the job methods of ``hf_api.py`` in huggingface_hub 2.4.0. The body is
checked strictly by what the SDK can send; whether the vendor refuses other keys is not known.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Call
from ftbridge.testing.wire import Field, Flag, Items, Number, Pairs, Record, Text

from .errors import HubError, require
from .hardware import HARDWARE
from .settings import NAMESPACE, PAGE, Hub
from .store import ENDED, Job

_VOLUME = Record({
    "type": Field(Text(("bucket", "model", "dataset", "space")), required=True),
    "source": Field(Text(shortest=1), required=True),
    "mountPath": Field(Text(shortest=1), required=True),
    "path": Field(Text()),
    "revision": Field(Text()),
    "readOnly": Field(Flag()),
})  # fmt: skip
BODY = Record({
    "command": Field(Items(Text(), shortest=1), required=True),
    "arguments": Field(Items(Text()), required=True),
    "environment": Field(Pairs(Text()), required=True),
    "secrets": Field(Pairs(Text())),
    "flavor": Field(Text(tuple(row["name"] for row in HARDWARE)), required=True),
    "timeoutSeconds": Field(Number(integer=True, least=1)),
    "attempts": Field(Number(integer=True, least=1)),
    "labels": Field(Pairs(Text())),
    "volumes": Field(Items(_VOLUME)),
    "dockerImage": Field(Text(shortest=1)),
})  # fmt: skip


async def create(hub: Hub, call: Call) -> dict[str, Any]:
    """POST /api/jobs/{namespace}."""
    require(BODY, call.body)
    if "dockerImage" not in call.body:
        raise HubError(400, "Invalid request body: dockerImage is missing")
    for volume in call.body.get("volumes", []):
        if volume["type"] != "bucket" or volume["source"] not in hub.store.buckets:
            raise HubError(404, f"Volume source not found: {volume['source']}", "RepoNotFound")
    return shown(hub.store.new_job(call.body), call.now)


async def retrieve(hub: Hub, call: Call) -> dict[str, Any]:
    """GET /api/jobs/{namespace}/{id}."""
    return shown(_job(hub, call), call.now)


async def list_jobs(hub: Hub, call: Call) -> Response:
    """GET /api/jobs/{namespace}: newest first, filtered by all ``label`` and any ``stage``."""
    labels = [tuple(value.split("=", 1)) for name, value in call.pairs if name == "label"]
    stages = {value for name, value in call.pairs if name == "stage"}
    start = int(call.query.get("cursor", "0"))
    rows = [
        job
        for job in sorted(hub.store.jobs.values(), key=lambda job: job.created_at, reverse=True)
        if hub.store.listed(job.id, job.created_at, call.now)
        and all(job.labels.get(key) == value for key, value in labels)
        and (not stages or job.stage in stages)
    ]
    headers = {}
    if len(rows) > start + PAGE:
        kept = "".join(f"&label={key}%3D{value}" for key, value in labels)
        url = f"{call.base}/api/jobs/{NAMESPACE}?cursor={start + PAGE}{kept}"
        headers["Link"] = f'<{url}>; rel="next"'
    page = [shown(job, call.now) for job in rows[start : start + PAGE]]
    return JSONResponse(page, headers=headers)


async def cancel(hub: Hub, call: Call) -> dict[str, Any]:
    """POST /api/jobs/{namespace}/{id}/cancel."""
    job = _job(hub, call)
    if job.stage in ENDED:
        raise HubError(409, f"Job is already finished: {job.stage}")
    hub.store.cancel(job)
    return shown(job, call.now)


async def logs(hub: Hub, call: Call) -> Response:
    """GET /api/jobs/{namespace}/{id}/logs: what was printed so far, as server-sent events."""
    job = _job(hub, call)
    lines = job.log.read_text("utf-8", "replace").splitlines() if job.log.exists() else []
    tail = int(call.query.get("tail", "0"))
    events = [{"data": line, "timestamp": _time(call.now)} for line in lines[-tail:]]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return Response(text, media_type="text/event-stream")


async def hardware(hub: Hub, call: Call) -> Response:
    """GET /api/jobs/hardware."""
    return JSONResponse(HARDWARE)


def shown(job: Job, now: float) -> dict[str, Any]:
    """A job as the Hub shows it; its secrets are names alone."""
    body = {key: value for key, value in job.body.items() if key not in ("secrets", "attempts")}
    started, ended = job.started_at, job.finished_at or now
    kept: Callable[[float | None], str | None] = lambda at: None if at is None else _time(at)  # noqa: E731
    return {
        **body,
        "id": job.id,
        "secrets": dict.fromkeys(job.body.get("secrets", {}), ""),
        "retry": job.body.get("attempts", 1) - 1,
        "createdAt": _time(job.created_at),
        "startedAt": kept(started),
        "finishedAt": kept(job.finished_at),
        "status": {"stage": job.stage, "message": job.message},
        "durations": {
            "schedulingSecs": None if started is None else int(started - job.created_at),
            "runningSecs": None if started is None else int(ended - started),
            "totalSecs": int(ended - job.created_at),
        },
        "owner": {"id": "5e9ecfc04957053f60648a3e", "name": NAMESPACE, "type": "user"},
    }


def _job(hub: Hub, call: Call) -> Job:
    job = hub.store.jobs.get(call.path["id"])
    if job is None:
        raise HubError(404, "Job not found")
    return job


def _time(seconds: float) -> str:
    stamp = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")
