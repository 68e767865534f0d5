"""The five job routes of mistralai 2.4.13. Unverified: what is refused at once (here: the body,
unknown files and models) and the status of a cancel or start that comes too late (here: 409)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from ftbridge.testing.plumbing import Call

from . import lifecycle
from .data import BadData, TrainingData, read_training_data
from .errors import from_problems, invalid, not_found, refused
from .models import BASES
from .paging import page, parameters
from .schema import CREATE, HYPERPARAMETERS
from .store import Emulator, Job

_FILTERS = ("page", "page_size", "model", "created_after", "created_before", "created_by_me",
            "status", "wandb_project", "wandb_name", "suffix")  # fmt: skip


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST: refuses what is wrong with the request; what is wrong with the data comes later."""
    query = parameters(call, ("dry_run",))
    body = call.body
    problems = list(CREATE.problems(body))
    if problems:
        raise from_problems(problems)
    kind = body.get("job_type") or "completion"
    problems = list(HYPERPARAMETERS[kind].problems(body["hyperparameters"], "hyperparameters"))
    if problems:
        raise from_problems(problems)
    if body["model"] not in BASES:
        raise invalid("model", "this model cannot be fine-tuned")
    data, problem = _read(emulator, body, kind)
    if query.get("dry_run") == "true":
        return _dry_run(emulator, body, data)
    job = Job(str(uuid.uuid4()), kind, body, data, problem, call.now, body.get("auto_start", False))
    emulator.store.jobs[job.id] = job
    return lifecycle.view(job, call.now, emulator)


def _dry_run(emulator: Emulator, body: dict[str, Any], data: TrainingData) -> dict[str, Any]:
    """LegacyJobMetadataOut of the vendor's openapi.yaml; the price is an example."""
    epochs = body["hyperparameters"].get("epochs") or 1
    tokens = int(data.tokens * epochs)
    return {
        "object": "job.metadata",
        "deprecated": True,
        "details": "",
        "expected_duration_seconds": int(emulator.timeline.seconds),
        "cost": max(4.0, tokens / 1e6),
        "cost_currency": emulator.store.currency,
        "train_tokens_per_step": None,
        "train_tokens": tokens,
        "data_tokens": data.tokens,
        "estimated_start_time": None,
        "epochs": epochs,
        "training_steps": body["hyperparameters"].get("training_steps"),
    }


def _read(emulator: Emulator, body: dict[str, Any], kind: str) -> tuple[TrainingData, str | None]:
    training = [each["file_id"] for each in body.get("training_files", [])]
    if not training and not body.get("repositories"):
        raise invalid("training_files", "at least one training file is needed", "too_short")
    for field, wanted in (
        ("training_files", training),
        ("validation_files", body.get("validation_files") or []),
    ):
        for file_id in wanted:
            file = emulator.store.files.get(file_id)
            if file is None or file.purpose != "fine-tune":
                raise invalid(field, f"no file {file_id} for fine-tuning")
    contents = [emulator.store.files[file_id].content for file_id in training]
    try:
        data = read_training_data(b"\n".join(contents), kind)
        for file_id in body.get("validation_files") or []:
            read_training_data(emulator.store.files[file_id].content, kind)
    except BadData as error:
        return TrainingData(), str(error)
    return data, None


def _find(emulator: Emulator, call: Call) -> Job:
    parameters(call, ())
    job = emulator.store.jobs.get(call.path["id"])
    if job is None:
        raise not_found(f"job {call.path['id']}")
    return job


async def list_jobs(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET, newest first, by page and page_size."""
    query = parameters(call, _FILTERS)
    rows = [
        lifecycle.view(job, call.now, emulator)
        for job in reversed(emulator.store.jobs.values())
        if emulator.store.listed(job.id, job.created, call.now)
    ]
    for name in ("model", "status", "suffix"):
        if name in query:
            rows = [row for row in rows if row[name] == query[name]]
    for name, key in (("wandb_project", "project"), ("wandb_name", "name")):
        if name in query:
            rows = [
                row for row in rows if any(w.get(key) == query[name] for w in row["integrations"])
            ]
    if "created_after" in query:
        after = _moment(query["created_after"], "created_after")
        rows = [row for row in rows if row["created_at"] >= after]
    if "created_before" in query:
        before = _moment(query["created_before"], "created_before")
        rows = [row for row in rows if row["created_at"] < before]
    return page(rows, query)


def _moment(text: str, field: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise invalid(field, "not a datetime", "datetime_parsing", "query") from error


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET one, with events and checkpoints."""
    return lifecycle.view(_find(emulator, call), call.now, emulator, detailed=True)


async def cancel(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST .../cancel."""
    job = _find(emulator, call)
    raw = lifecycle.state(job, call.now, emulator)
    if raw in lifecycle.TERMINAL:
        raise refused(409, "invalid_request_error", f"a job in {raw} cannot be cancelled")
    if job.cancelled is None:
        job.cancelled = call.now
    return lifecycle.view(job, call.now, emulator, detailed=True)


async def start(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST .../start: only a validated job that waits."""
    job = _find(emulator, call)
    raw = lifecycle.state(job, call.now, emulator)
    if job.auto_start or raw != "VALIDATED":
        raise refused(409, "invalid_request_error", f"a job in {raw} cannot be started")
    job.started = call.now
    return lifecycle.view(job, call.now, emulator, detailed=True)
