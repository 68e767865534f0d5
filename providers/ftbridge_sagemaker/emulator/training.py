"""Training jobs: create, describe, list, stop, delete.

A taken name is ResourceInUse (service model); a job that is not there is ValidationException, as
met by users (github.com/boto/boto3/issues/2808). Unverified: that a stop of a job which has ended
is refused, that ModelArtifacts (a required member) says from the start where they will be, and
every sentence.
"""

from __future__ import annotations

import math
from typing import Any

from . import asking, serverless
from .errors import ApiError, in_use, invalid, not_found
from .machine import Run
from .paging import page
from .store import FINAL, Emulator, TrainingJob, Transition

_TAKEN = (
    "Training job names must be unique within an AWS account and region, and a training job with "
    "this name already exists ({arn})"
)
_KEPT = frozenset({"InputDataConfig", "Tags", "SessionChainingConfig"})


async def create(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """CreateTrainingJob."""
    store, name = emulator.store, params["TrainingJobName"]
    arn = store.arn("training-job", name)
    if name in store.jobs:
        raise in_use(_TAKEN.format(arn=arn))
    asking.check(emulator, params)
    start = Transition("Starting", now, "Starting the training job")
    job = TrainingJob(arn, params, now, [start])
    store.jobs[name] = job
    if job.serverless:
        serverless.schedule(emulator, job)
    elif store.rents:
        job.run = Run(emulator, job)
    return {"TrainingJobArn": arn}


def _job(emulator: Emulator, params: dict[str, Any]) -> TrainingJob:
    job = emulator.store.jobs.get(params["TrainingJobName"])
    if job is None:
        raise _missing(emulator)
    return job


def _missing(emulator: Emulator) -> ApiError:
    if emulator.store.models_missing_as_modelled:
        return not_found("Requested resource not found.")
    return invalid("Requested resource not found.")


async def describe(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DescribeTrainingJob."""
    job = _job(emulator, params)
    status, secondary = _state(job)
    shown = {key: value for key, value in job.body.items() if key not in _KEPT}
    shown |= {
        "TrainingJobArn": job.arn,
        "TrainingJobStatus": status,
        "SecondaryStatus": secondary,
        "SecondaryStatusTransitions": _transitions(job),
        "CreationTime": job.created,
        "LastModifiedTime": job.transitions[-1].start,
        "StoppingCondition": job.body.get("StoppingCondition", {"MaxRuntimeInSeconds": 86400}),
        "ModelArtifacts": {"S3ModelArtifacts": job.output},
    }
    if "InputDataConfig" in job.body:
        shown["InputDataConfig"] = job.body["InputDataConfig"]
    if job.failure:
        shown["FailureReason"] = job.failure
    shown |= _times(job, now)
    if job.serverless:
        shown |= serverless.view(emulator, job, now)
    return shown


def _state(job: TrainingJob) -> tuple[str, str]:
    return job.forced or (job.status, job.secondary)


def _transitions(job: TrainingJob) -> list[dict[str, Any]]:
    rows = []
    steps = list(job.transitions)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        row: dict[str, Any] = {"Status": step.status, "StartTime": step.start}
        if following is not None:
            row["EndTime"] = following.start
        rows.append(row | {"StatusMessage": step.message})
    return rows


def _times(job: TrainingJob, now: float) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if job.started is not None:
        shown["TrainingStartTime"] = job.started
        lasted = (job.ended or now) - job.started
        shown["TrainingTimeInSeconds"] = max(1, math.ceil(lasted))
    if job.ended is not None:
        shown["TrainingEndTime"] = job.ended
        if job.run is not None:
            shown["BillableTimeInSeconds"] = max(1, math.ceil(job.billed_seconds))
    return shown


async def list_jobs(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """ListTrainingJobs."""
    store = emulator.store
    rows = []
    for job in store.jobs.values():
        if not store.listed(job.name, job.created, now):
            continue
        status, secondary = _state(job)
        row = {
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "CreationTime": job.created,
            "LastModifiedTime": job.transitions[-1].start,
            "TrainingJobStatus": status,
            "SecondaryStatus": secondary,
        }
        rows.append(row | ({"TrainingEndTime": job.ended} if job.ended is not None else {}))
    equal, sort = {"StatusEquals": "TrainingJobStatus"}, {"Status": "TrainingJobStatus"}
    return page(
        "TrainingJobSummaries", rows, params, name="TrainingJobName", equal=equal, sort=sort
    )


async def stop(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """StopTrainingJob."""
    job = _job(emulator, params)
    if job.status in FINAL:
        raise invalid(
            f"The request was rejected because the training job is in status {job.status}."
        )
    if job.status != "Stopping":
        if job.run is not None:
            job.run.stop()
        else:
            serverless.stop(emulator, job, now)
    return {}


async def delete(emulator: Emulator, params: dict[str, Any], now: float) -> dict[str, Any]:
    """DeleteTrainingJob: of a job that has ended; its name is free then (service model)."""
    job = _job(emulator, params)
    if job.status not in FINAL:
        raise in_use(f"The training job {job.name} is in status {job.status}")
    del emulator.store.jobs[job.name]
    return {}
