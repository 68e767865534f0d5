"""Custom jobs: create, get, list, cancel, delete. The container's command really runs.

A body is read by the messages of google-cloud-aiplatform, so that a field or a word that Google
does not know is refused. Unverified: wordings, that cancelling a job that has ended is
FAILED_PRECONDITION, and that a job must have ended before it is deleted.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.plumbing import Call

from .custom_run import Run
from .errors import invalid, not_found, not_now
from .jobs import check_labels
from .paging import page, parameters
from .store import CustomJob, Emulator, new_id, resource, stamp

ENDED = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"})


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST customJobs."""
    parameters(call)
    body = _checked(call.body)
    job = CustomJob(new_id(), call.path["location"], body, call.now)
    emulator.store.custom_jobs[job.id] = job
    job.run = Run(emulator, job)
    return view(job)


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET customJobs/{id}."""
    parameters(call)
    return view(_find(emulator, call))


async def list_jobs(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET customJobs: newest first, with filter and pages."""
    store, here = emulator.store, call.path["location"]
    rows = [
        view(job)
        for job in reversed(store.custom_jobs.values())
        if job.location == here and store.listed(job.id, job.created, call.now)
    ]
    return page("customJobs", rows, call)


async def cancel(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST customJobs/{id}:cancel: an empty answer, and a state that follows."""
    job = _find(emulator, call)
    if job.state in ENDED:
        raise not_now(f"Job {job.id} is in a terminal state and cannot be cancelled.")
    job.run.stop()
    return {}


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE customJobs/{id}: an operation that is done at once."""
    job = _find(emulator, call)
    if job.state not in ENDED:
        raise not_now(f"Job {job.id} has not ended.")
    del emulator.store.custom_jobs[job.id]
    return {"name": resource(job.location, "operations", new_id()), "done": True, "response": {}}


def view(job: CustomJob) -> dict[str, Any]:
    """The resource."""
    shown: dict[str, Any] = {
        **job.body,
        "name": resource(job.location, "customJobs", job.id),
        "state": job.forced or job.state,
        "createTime": stamp(job.created),
        "updateTime": stamp(job.changed),
    }
    for name, moment in (("startTime", job.started), ("endTime", job.ended)):
        if moment is not None:
            shown[name] = stamp(moment)
    if job.error is not None:
        shown["error"] = {"code": 3, "message": job.error}
    return shown


def _find(emulator: Emulator, call: Call) -> CustomJob:
    found = emulator.store.custom_jobs.get(call.path["id"])
    if found is None or found.location != call.path["location"]:
        raise not_found(f"CustomJob {call.path['id']}")
    return found


def _checked(body: Any) -> dict[str, Any]:
    """The body, by Google's own messages."""
    from google.cloud.aiplatform_v1.types import CustomJob as Message
    from google.protobuf.json_format import ParseDict, ParseError

    try:
        made = ParseDict(body, Message.pb()())
    except ParseError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from None
    if not made.display_name or len(made.display_name) > 128:
        raise invalid("display_name is required, of at most 128 characters.", "display_name")
    pools = made.job_spec.worker_pool_specs
    if len(pools) != 1 or pools[0].replica_count != 1:
        raise invalid("This emulator runs one machine a job.", "worker_pool_specs")
    if not pools[0].container_spec.image_uri or not pools[0].container_spec.command:
        raise invalid("container_spec needs image_uri and, here, command.", "container_spec")
    if not pools[0].machine_spec.machine_type:
        raise invalid("machine_spec.machine_type is required.", "machine_type")
    check_labels(body)
    return dict(body)
