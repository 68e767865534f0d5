"""Supervised, DPO and reinforcement jobs: three lists, one behaviour.

The client may choose the id, in the query; a taken one is refused with 409 ALREADY_EXISTS
(unverified: the SDK documents the parameter alone). Unverified as well: that names must be full
resource names, that a dataset must be READY, that rank and beta are refused at once, which states
can be cancelled (here: all but the final ones) or resumed (here: PAUSED alone).
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.plumbing import Call
from ftbridge.testing.timeline import Stopwatch

from . import datasets, lifecycle, models
from .data import BadData, TrainingData, read_training_data
from .errors import exists, from_problem, invalid, not_found, not_now
from .paging import id_of, masked, name, page, parameters, require_id
from .schema import ID_PARAMETER, JOBS
from .store import Emulator, Failure, Job, new_id

_FRUITLESS = ("JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST: refuses what is wrong with the request; what is wrong with the data comes later."""
    kind, body = call.path["kind"], call.body
    query = parameters(call, (ID_PARAMETER[kind],))
    for problem in JOBS[kind].problems(body):
        raise from_problem(problem)
    job_id = require_id(query.get(ID_PARAMETER[kind]) or new_id(), ID_PARAMETER[kind])
    if (kind, job_id) in emulator.store.jobs:
        raise exists(f"{kind} {job_id}")
    settings = body if kind == "supervisedFineTuningJobs" else body.get("trainingConfig", {})
    _check(emulator, body, settings)
    base = models.base_of(emulator, settings, call.now)
    output = _output(emulator, settings.get("outputModel"), job_id, call.now)
    data, failure = _read(emulator, call, body["dataset"], "dataset")
    if body.get("evaluationDataset"):
        _, bad = _read(emulator, call, body["evaluationDataset"], "evaluationDataset")
        failure = failure or bad
    watch = Stopwatch(call.now)
    job = Job(job_id, kind, body, settings, base, output, data, failure, watch)
    emulator.store.jobs[kind, job_id] = job
    emulator.store.outputs[output] = job
    return lifecycle.view(job, call.now, emulator, created=True)


def _check(emulator: Emulator, body: dict[str, Any], settings: dict[str, Any]) -> None:
    """What no single field shows: powers of two, losses without KL, an evaluator of the account."""
    rank = settings.get("loraRank", 8)
    if rank & (rank - 1):
        raise invalid("loraRank: not a power of two")
    loss = body.get("lossConfig", {})
    if loss.get("klBeta") and loss.get("method") in ("DAPO", "GSPO_TOKEN"):
        raise invalid(f"loss_config.kl_beta must be 0/unset when method is {loss['method']}")
    evaluator = body.get("evaluator")
    if evaluator and id_of(evaluator, "evaluators", "evaluator") not in emulator.store.evaluators:
        raise not_found(evaluator)


def _output(emulator: Emulator, wanted: str | None, job_id: str, now: float) -> str:
    """The id of the model to come: the job's own where none is asked for."""
    model_id = job_id if wanted is None else wanted
    if "/" in model_id:
        model_id = id_of(model_id, "models", "outputModel")
    require_id(model_id, "outputModel")
    holder = emulator.store.outputs.get(model_id)
    if holder is not None and lifecycle.state(holder, now, emulator) not in _FRUITLESS:
        raise exists(f"model {model_id}")
    return model_id


def _read(
    emulator: Emulator, call: Call, resource: str, field: str
) -> tuple[TrainingData, Failure | None]:
    dataset = datasets.find(emulator, id_of(resource, "datasets", field))
    if not datasets.ready(dataset, call.now):
        raise not_now(f"{field}: {resource} is not READY")
    try:
        return read_training_data(dataset.content, call.path["kind"]), None
    except BadData as error:
        return TrainingData(), Failure("INVALID_ARGUMENT", f"{field}: {error}")


def _find(emulator: Emulator, call: Call) -> Job:
    kind, job_id = call.path["kind"], call.path["id"]
    job = emulator.store.jobs.get((kind, job_id))
    if job is None:
        raise not_found(name(kind, job_id))
    return job


async def list_jobs(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET the list of one kind."""
    kind, store = call.path["kind"], emulator.store
    rows = [
        lifecycle.view(job, call.now, emulator)
        for job in store.jobs.values()
        if job.kind == kind and store.listed(job.id, job.watch.started, call.now)
    ]
    return page(kind, rows, call)


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET one; a finished supervised job has a signed URL of its metrics."""
    query = parameters(call, ("readMask",))
    job = _find(emulator, call)
    shown = lifecycle.view(job, call.now, emulator)
    if job.kind == "supervisedFineTuningJobs" and shown["state"] == "JOB_STATE_COMPLETED":
        shown["metricsFileSignedUrl"] = _metrics_url(call, job)
    return masked(shown, query.get("readMask"))


def _metrics_url(call: Call, job: Job) -> str:
    return f"{call.base}/signed/metrics/{job.kind}/{job.id}?signature=sandbox"


async def metrics_endpoint(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET dpoJobs/{id}:getMetricsFileEndpoint."""
    job = _find(emulator, call)
    if job.kind != "dpoJobs":
        raise not_found("getMetricsFileEndpoint")
    return {"signedUrl": _metrics_url(call, job)}


async def cancel(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST :cancel with an empty object; the answer is empty too."""
    job = _asked(emulator, call)
    raw = lifecycle.state(job, call.now, emulator)
    if raw in lifecycle.TERMINAL:
        raise not_now(f"cannot cancel a job in {raw}")
    if job.cancelled_at is None:
        if not job.watch.stopped(call.now):
            job.watch.stop(call.now)
        job.cancelled_at = call.now
    return {}


async def resume(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST :resume: back to work, with the job object as the answer."""
    job = _asked(emulator, call)
    raw = lifecycle.state(job, call.now, emulator)
    if not job.suspended or job.cancelled_at is not None:
        raise not_now(f"cannot resume a job in {raw}")
    job.suspended = False
    job.watch.restart(call.now)
    return lifecycle.view(job, call.now, emulator)


def _asked(emulator: Emulator, call: Call) -> Job:
    parameters(call, ())
    if call.body != {}:
        raise invalid("expected an empty object")
    return _find(emulator, call)


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE: the name is free again; a running job is refused (unverified)."""
    job = _find(emulator, call)
    raw = lifecycle.state(job, call.now, emulator)
    if raw not in lifecycle.TERMINAL:
        raise not_now(f"cannot delete a job in {raw}")
    del emulator.store.jobs[job.kind, job.id]
    return {}
