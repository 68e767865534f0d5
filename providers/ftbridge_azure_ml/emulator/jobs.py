"""Command jobs: put, get, list, cancel.

Sources: the SDK's REST client (azure-ai-ml 1.35.2) for routes, parameters, answers and statuses;
learn.microsoft.com's REST reference of jobs. A name that is taken: the sentence is one that users
have met in public reports; that the same body again is answered with the job, and a changed one
refused except for description, displayName, tags and isArchived, follows from it. Unverified: that
a cancellation of a job which has ended is refused; how long each state lasts.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from ftbridge.testing.plumbing import Call

from . import shapes
from .addresses import REGISTRY, SCOPE, asset_of, path_of
from .errors import ArmError, not_found, user_error
from .machine import Run
from .store import FINAL, REGION, SUBSCRIPTION, Emulator, Job, stamp

PAGE = 30
_MAY_CHANGE = frozenset({"description", "displayName", "tags", "isArchived"})
_TAKEN = (
    "A job with this name already exists. If you are trying to create a new job, use a different "
    "name. If you are trying to update an existing job, the existing job's settings cannot be "
    "changed. Only description, displayName, tags, and isArchived can be updated."
)


async def put(emulator: Emulator, call: Call) -> Response:
    """Create a job under the name that the client has chosen, or change what may change."""
    name, asked = call.path["name"], shapes.job_of(call.path["name"], call.body)
    old = emulator.store.jobs.get(name)
    if old is not None:
        rest = {key: value for key, value in asked.items() if key not in _MAY_CHANGE}
        if rest != {key: old.body[key] for key in old.body if key not in _MAY_CHANGE}:
            raise user_error(_TAKEN, "name")
        old.body |= {key: asked[key] for key in _MAY_CHANGE & set(asked)}
        return JSONResponse(view(old))
    _check(emulator, asked)
    job = Job(name, asked, call.now)
    emulator.store.jobs[name] = job
    if emulator.store.rents:
        job.run = Run(emulator, job)
    else:
        job.status = "Queued"
    return JSONResponse(view(job), 201)


def _check(emulator: Emulator, asked: dict[str, Any]) -> None:
    """That what it names is there, as far as the service looks before it takes a job."""
    environment = asked["environmentId"]
    known = emulator.store.environments
    if not REGISTRY.fullmatch(environment) and asset_of(environment, "environments") not in known:
        raise user_error(f"The environment '{environment}' was not found.", "environmentId")
    compute = asked.get("computeId")
    if compute is None and not (asked.get("resources") or {}).get("instanceType"):
        raise user_error("Serverless compute needs resources.instanceType.", "computeId")
    if compute is not None and asset_of(compute, "computes")[0] not in emulator.store.clusters:
        raise user_error(f"The specified compute target '{compute}' was not found.", "computeId")
    if "codeId" in asked:
        raise user_error("The code asset was not found.", "codeId")
    for kind, name in shapes.PLACE.findall(asked["command"]):
        if name not in (asked.get(kind) or {}):
            raise user_error(f"The command names {kind}.{name}, which the job has not.", "command")
    for kind in ("inputs", "outputs"):
        for name, given in (asked.get(kind) or {}).items():
            if given.get("uri"):
                path_of(given["uri"], f"{kind}.{name}.uri")


async def get(emulator: Emulator, call: Call) -> dict[str, Any]:
    """A job."""
    return view(_job(emulator, call))


def _job(emulator: Emulator, call: Call) -> Job:
    job = emulator.store.jobs.get(call.path["name"])
    if job is None:
        raise not_found(f"The job {call.path['name']}")
    return job


def view(job: Job) -> dict[str, Any]:
    """A job as it is told."""
    defaults = {"experimentName": "Default", "displayName": job.name, "isArchived": False}
    outputs = {
        "default": {
            "jobOutputType": "uri_folder",
            "mode": "ReadWriteMount",
            "uri": f"azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.{job.name}",
        }
    }
    shown = defaults | {"tags": {}, "properties": {}, "parameters": {}, "services": {}} | job.body
    return {
        "id": f"{SCOPE}/jobs/{job.name}",
        "name": job.name,
        "type": "Microsoft.MachineLearningServices/workspaces/jobs",
        "properties": shown
        | {"status": job.shown, "outputs": outputs | (job.body.get("outputs") or {})},
        "systemData": {
            "createdAt": stamp(job.created),
            "createdBy": "sandbox",
            "createdByType": "Application",
        },
    }


async def list_jobs(emulator: Emulator, call: Call) -> dict[str, Any]:
    """All jobs, the newest first, by page."""
    query, store = call.query, emulator.store
    strange = set(query) - {"api-version", "$skip", "jobType", "tag", "listViewType", "properties"}
    if strange:
        raise ArmError(400, "InvalidRequest", f"unknown parameters: {sorted(strange)}")
    archived = {"ActiveOnly": (False,), "ArchivedOnly": (True,)}.get(
        query.get("listViewType", "ActiveOnly"), (False, True)
    )
    found = [
        job
        for job in reversed(store.jobs.values())
        if store.listed(job.name, job.created, call.now)
        and bool(job.body.get("isArchived")) in archived
        and query.get("jobType", "Command") == "Command"
        and ("tag" not in query or query["tag"] in job.body.get("tags", {}))
    ]
    start = int(query.get("$skip", 0))
    answer: dict[str, Any] = {"value": [view(job) for job in found[start : start + PAGE]]}
    if start + PAGE < len(found):
        more = urlencode(query | {"$skip": str(start + PAGE)})
        answer["nextLink"] = f"{call.base}{SCOPE}/jobs?{more}"
    return answer


async def cancel(emulator: Emulator, call: Call) -> Response:
    """Ask a job to stop; the operation's address is where its end is told."""
    job = _job(emulator, call)
    if job.status in FINAL:
        raise user_error(f"The job {job.name} has ended and cannot be canceled.")
    if job.run is not None:
        job.run.cancel()
    else:
        emulator.store.finish(job.name, call.now, "Canceled")
    return _told(job, call)


async def operation(emulator: Emulator, call: Call) -> Response:
    """The operation that a cancellation is: 202 until the job has ended, then 200."""
    for job in emulator.store.jobs.values():
        if job.operation == call.path["operation"]:
            return Response() if job.status in FINAL else _told(job, call)
    raise not_found("The operation")


def _told(job: Job, call: Call) -> Response:
    address = (
        f"{call.base}/subscriptions/{SUBSCRIPTION}/providers"
        f"/Microsoft.MachineLearningServices/locations/{REGION}/mfeOperationResults"
        f"/{job.operation}?api-version={call.query['api-version']}"
    )
    return Response(status_code=202, headers={"Location": address, "Retry-After": "1"})
