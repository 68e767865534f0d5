"""A job as it stands at a time: status, fields, events, metrics and checkpoints.

Statuses and kinds of event are the SDK's literals; order, wording, metric names and all
numbers are our own (unverified). ``total_price`` is an integer of unknown unit in the SDK;
here it is a billionth of a USD, as recalled (unverified).
"""

from __future__ import annotations

import math
from typing import Any

from .store import USER, Emulator, Job, stamp

CANCEL_SECONDS = 2.0
TERMINAL = frozenset({"cancelled", "error", "completed"})
_EVENTS = (
    ("pending", 0.0, "job_pending", "Fine-tune request created"),
    ("queued", 0.9, "job_start", "Job started at a worker"),
    ("running", 0.0, "training_data_download_complete", "Training data downloaded"),
    ("running", 0.1, "training_start", "Training started"),
    ("compressing", 0.0, "training_complete", "Training completed"),
    ("compressing", 0.1, "model_compressing", "Compressing the output model"),
    ("uploading", 0.0, "model_uploading", "Uploading the output model"),
    ("uploading", 0.9, "model_upload_complete", "Output model uploaded"),
    ("completed", 0.0, "job_complete", "Job finished"),
)


def status(emulator: Emulator, job: Job, now: float) -> str:
    """The raw status that the vendor would report."""
    if job.forced is not None:
        return job.forced
    if job.cancel_asked_at is not None:
        over = now >= job.cancel_asked_at + CANCEL_SECONDS / emulator.speed
        return "cancelled" if over else "cancel_requested"
    state = emulator.timeline.at(job.watch.elapsed(now)).state
    return "error" if job.failure and state not in {"pending", "queued"} else state


def steps(job: Job) -> int:
    """Optimiser steps of the whole run."""
    size = job.body.get("batch_size", "max")
    per_epoch = math.ceil(job.data.examples / (8 if size == "max" else size))
    return max(1, per_epoch * int(job.body.get("n_epochs", 1)))


def done_steps(emulator: Emulator, job: Job, now: float) -> int:
    """Steps so far."""
    if job.failure:
        return 0
    until = now if job.cancel_asked_at is None else min(now, job.cancel_asked_at)
    run = job.watch.elapsed(until) - emulator.timeline.starts("running")
    lasts = emulator.timeline.lasts("running")
    part = 1.0 if run >= lasts else max(0.0, run / lasts)
    return int(part * steps(job))


def view(emulator: Emulator, job: Job, now: float, *, short: bool) -> dict[str, Any]:
    """The job; ``short`` is the truncated form of create, list and cancel."""
    state = status(emulator, job, now)
    sent = {k: v for k, v in job.body.items() if k not in {"wandb_key", "hf_api_token"}}
    running = emulator.timeline.starts("running")
    seen = {
        "n_epochs": 1,
        "n_evals": 0,
        "n_checkpoints": 1,
        "learning_rate": 1e-5,
        "training_method": {"method": "sft", "train_on_inputs": "auto"},
        "training_type": {"type": "Lora", "lora_r": 64, "lora_alpha": 128},
        **sent,
        "id": job.id,
        "status": state,
        "user_id": USER,
        "created_at": stamp(job.watch.started),
        "updated_at": stamp(now),
        "batch_size": 8 if sent.get("batch_size", "max") == "max" else sent["batch_size"],
        "model_output_name": job.output_name,
        "progress": {"estimate_available": False, "seconds_remaining": 0},
    }
    if job.watch.elapsed(now) >= running:
        seen["started_at"] = stamp(job.watch.started + running)
        seen["token_count"] = job.data.tokens * seen["n_epochs"]
        seen["total_price"] = int(job.price * 1e9)
    if short:
        return seen
    seen.pop("random_seed", None)  # not among the fields of FinetuneResponse
    seen |= {"job_id": job.id, "trainingfile_numlines": job.data.examples}
    seen["events"] = events(emulator, job, now)
    if state == "completed":
        seen["model_output_path"] = f"s3://sandbox/{job.id}"
        seen["model_object_name"] = job.output_name
        if seen["training_type"]["type"] == "Lora":
            seen["adapter_object_name"] = f"{job.output_name}-adapter"
    return seen


def events(emulator: Emulator, job: Job, now: float) -> list[dict[str, Any]]:
    """Everything that happened, oldest first; without ids."""
    line = emulator.timeline
    planned = [
        (line.starts(state) + part * line.lasts(state), kind, text)
        for state, part, kind, text in _EVENTS
    ]
    if job.failure:
        begun = line.starts("running")
        planned = [each for each in planned if each[0] < begun]
        planned.append((begun, "job_error", job.failure.message))
    if job.cancel_asked_at is not None:
        asked = job.watch.elapsed(job.cancel_asked_at)
        planned = [each for each in planned if each[0] < asked]
        planned.append((asked, "cancel_requested", "Cancellation requested"))
        planned.append((asked + CANCEL_SECONDS / emulator.speed, "job_stopped", "Job stopped"))
    passed = job.watch.elapsed(now)
    return [
        {
            "object": "fine-tune-event",
            "created_at": stamp(job.watch.started + at),
            "level": "error" if kind == "job_error" else "info",
            "type": kind,
            "message": text,
            "step": steps(job) if kind == "training_complete" else 0,
            "total_steps": steps(job),
            # required by the vendor's OpenAPI document, whose type has no null
            **dict.fromkeys(("param_count", "token_count", "training_offset"), 0),
            **dict.fromkeys(("wandb_url", "checkpoint_path", "model_path", "hash"), ""),
        }
        for at, kind, text in planned
        if at <= passed
    ]


def metrics(emulator: Emulator, job: Job, now: float) -> list[dict[str, float]]:
    """One row a step."""
    return [
        {
            "global_step": float(step),
            "train/loss": round(2.0 / math.sqrt(step), 6),
            "train/learning_rate": float(job.body.get("learning_rate", 1e-5)),
        }
        for step in range(1, done_steps(emulator, job, now) + 1)
    ]


def checkpoints(emulator: Emulator, job: Job, now: float) -> list[dict[str, Any]]:
    """Equally spaced ones while it runs; the last is the final model."""
    total, count = steps(job), int(job.body.get("n_checkpoints", 1))
    marks = sorted({math.ceil(total * n / count) for n in range(1, count + 1)})
    complete = status(emulator, job, now) == "completed"
    kind = "adapter" if _is_lora(job) else "model"
    return [
        {
            "step": mark,
            "created_at": stamp(job.watch.started + emulator.timeline.starts("compressing")),
            "path": f"s3://sandbox/{job.id}/step-{mark}",
            "checkpoint_type": f"Final {kind}" if mark == total else f"Intermediate ({mark})",
            "checkpoint": kind,
        }
        for mark in marks
        if mark <= done_steps(emulator, job, now) and (mark < total or complete)
    ]


def _is_lora(job: Job) -> bool:
    return bool(job.body.get("training_type", {"type": "Lora"})["type"] == "Lora")
