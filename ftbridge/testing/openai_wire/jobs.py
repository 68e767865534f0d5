"""``/v1/fine_tuning/jobs``.

There is no idempotency: a repeated POST makes a second job (the SDK sends no key either).
Unverified: wording, codes and legality of the transitions that are refused (here: cancel any
job that has not ended, pause a running one, resume a paused one, else 400 with the code
``invalid_job_status``); what the vendor makes of ``hyperparameters`` next to ``method``, or of
settings for another method than the chosen one (here 400); whether RL demands a validation
file (here it doesn't).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Any

from ftbridge.testing.plumbing import Call
from ftbridge.testing.timeline import Stopwatch

from . import files, lifecycle, models
from .data import BadData, TrainingData, read_training_data
from .errors import ApiError, from_problem, no_such_job
from .paging import page, parameters
from .schema import CREATE_JOB, METHODS
from .store import Emulator, Failure, Job, new_id

_FILTER = re.compile(r"metadata\[([^\]]*)\]")


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine_tuning/jobs. The data is read here, what is wrong with it is told later."""
    body = call.body
    for problem in CREATE_JOB.problems(body):
        raise from_problem(problem)
    method = _method(body)
    model = _tunable(emulator, body["model"], method["type"], call.now)
    shape = "completion" if models.root(model) in models.COMPLETION_MODELS else method["type"]
    data, failure = _read(emulator, call, "training_file", shape)
    if body.get("validation_file") is not None:
        _, invalid = _read(emulator, call, "validation_file", shape)
        failure = failure or invalid
    seed = body.get("seed")
    job = Job(
        id=new_id("ftjob-"),
        model=model,
        method=method,
        training_file=body["training_file"],
        validation_file=body.get("validation_file"),
        suffix=body.get("suffix") or "",
        seed=secrets.randbelow(2**31) if seed is None else seed,
        integrations=body.get("integrations") or [],
        metadata=body.get("metadata"),
        data=data,
        validates=body.get("validation_file") is not None,
        failure=failure,
        watch=Stopwatch(call.now),
        naming=emulator.naming,
    )
    emulator.store.jobs[job.id] = job
    return lifecycle.view(job, call.now, emulator.timeline)


def _method(body: dict[str, Any]) -> dict[str, Any]:
    """The method with its settings filled in; the deprecated top-level form is taken too."""
    method = body.get("method")
    if method is None:
        settings = {"hyperparameters": body.get("hyperparameters", {})}
        return {"type": "supervised", "supervised": settings}
    if "hyperparameters" in body:
        message = "Give 'hyperparameters' inside 'method' only."
        raise ApiError(message, "hyperparameters", "invalid_value")
    chosen = method["type"]
    for other in METHODS:
        if other != chosen and other in method:
            where = f"method.{other}"
            raise ApiError(f"'{where}' does not fit type '{chosen}'.", where, "invalid_value")
    if chosen == "reinforcement" and chosen not in method:
        where = "method.reinforcement.grader"
        raise ApiError(f"Missing required parameter: '{where}'.", where, "missing_grader")
    settings = {"hyperparameters": {}, **method.get(chosen, {})}
    return {"type": chosen, chosen: settings}


def _tunable(emulator: Emulator, model: str, method: str, now: float) -> str:
    """The dated name of a model that this method can tune."""
    methods = models.bases(emulator).get(models.root(model))
    if not methods or not models.exists(emulator, model, now):
        message = f"Model {model} is not available for fine-tuning or does not exist."
        raise ApiError(message, "model", "model_not_available")
    if method not in methods:
        message = f"Model {model} does not support the method '{method}'."
        raise ApiError(message, "method.type", "unsupported_method")
    return models.resolve(model)


def _read(
    emulator: Emulator, call: Call, param: str, shape: str
) -> tuple[TrainingData, Failure | None]:
    """A data file, and how the job will fail if there is something wrong with it."""
    file_id = call.body[param]
    # The job's own 400 rather than the 404 of /files: the URL exists.
    try:
        file = files.find(emulator, file_id, call.now, param)
    except ApiError as error:
        raise ApiError(error.message, param, "invalid_file_id") from error
    if file.purpose != "fine-tune":
        message = f"File '{file_id}' has the purpose '{file.purpose}', not 'fine-tune'."
        raise ApiError(message, param, "invalid_file_purpose")
    try:
        return read_training_data(file.content, shape), None
    except BadData as error:
        what = param.replace("_", " ")
        message = f"The job failed due to an invalid {what}. Invalid file format. {error}"
        code = f"invalid_{param}" if error.code == "invalid_format" else error.code
        return TrainingData(), Failure(code, message, param)


def _find(emulator: Emulator, call: Call) -> Job:
    job = emulator.store.jobs.get(call.path["job_id"])
    if job is None:
        raise no_such_job(call.path["job_id"])
    return job


async def list_jobs(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine_tuning/jobs, newest first; ``metadata[k]=v`` or ``metadata=null`` filters."""
    wanted = {match[1]: v for k, v in call.pairs if (match := _FILTER.fullmatch(k))}
    plain = [(k, v) for k, v in call.pairs if not _FILTER.fullmatch(k)]
    rest = replace(call, pairs=plain)
    query = parameters(rest, {"after", "limit", "metadata"})
    bare = query.get("metadata")
    if bare is not None and (bare != "null" or wanted):
        raise ApiError("Filter with metadata[k]=v or with metadata=null.", "metadata")
    jobs = [
        job
        for job in reversed(emulator.store.jobs.values())
        if emulator.store.listed(job.id, job.watch.started, call.now)
        and (bare is None or job.metadata is None)
        and wanted.items() <= (job.metadata or {}).items()
    ]
    answer = page(
        jobs,
        query,
        lambda job: job.id,
        lambda job: lifecycle.view(job, call.now, emulator.timeline),
        20,
        100,
    )
    # This list alone has no first_id and last_id.
    return {key: answer[key] for key in ("object", "data", "has_more")}


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine_tuning/jobs/{id}."""
    parameters(call, ())
    return lifecycle.view(_find(emulator, call), call.now, emulator.timeline)


async def cancel(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine_tuning/jobs/{id}/cancel."""
    job = _find(emulator, call)
    state = lifecycle.status(job, call.now, emulator.timeline)
    if state in lifecycle.TERMINAL:
        raise _refused("cancel", state)
    job.watch.stop(call.now)
    job.cancelled_at = call.now
    job.notes.append((call.now, "Fine-tuning job cancelled"))
    return lifecycle.view(job, call.now, emulator.timeline)


async def pause(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine_tuning/jobs/{id}/pause. ``paused`` is missing from the SDK's literal."""
    job = _find(emulator, call)
    state = lifecycle.status(job, call.now, emulator.timeline)
    if state != "running":
        raise _refused("pause", state)
    job.watch.stop(call.now)
    job.notes.append((call.now, "Fine-tuning job paused"))
    return lifecycle.view(job, call.now, emulator.timeline)


async def resume(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine_tuning/jobs/{id}/resume. The job is queued anew, as in OpenAPI's example."""
    job = _find(emulator, call)
    state = lifecycle.status(job, call.now, emulator.timeline)
    if state != "paused" or not job.watch.stopped(call.now):
        raise _refused("resume", state)
    job.watch.restart(call.now + emulator.timeline.lasts("queued"))
    job.notes.append((call.now, "Fine-tuning job resumed"))
    return lifecycle.view(job, call.now, emulator.timeline)


def _refused(verb: str, state: str) -> ApiError:
    return ApiError(f"Cannot {verb} a job with status '{state}'.", None, "invalid_job_status")


async def list_events(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine_tuning/jobs/{id}/events, newest first."""
    query = parameters(call, {"after", "limit"})
    rows = lifecycle.events(_find(emulator, call), call.now, emulator.timeline)
    answer = page(rows, query, lambda row: str(row["id"]), dict, 20, 100)
    return {key: answer[key] for key in ("object", "data", "has_more")}


async def list_checkpoints(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine_tuning/jobs/{id}/checkpoints, newest first."""
    query = parameters(call, {"after", "limit"})
    rows = lifecycle.checkpoints(_find(emulator, call), call.now, emulator.timeline)
    return page(rows, query, lambda row: str(row["id"]), dict, 10, 100)
