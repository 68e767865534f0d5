"""A job's status and object, as a pure function of what was asked, what was done, and the time.

Unverified: that the phases follow one another strictly, that a stopped job leaves no model (its
tokens are billed all the same), and that bad data fails the validation phase.
"""

from __future__ import annotations

import math
from typing import Any

from .store import Emulator, Job, stamp

PHASES = ("validationDetails", "dataProcessingDetails", "trainingDetails")
TERMINAL = frozenset({"Completed", "Failed", "Stopped"})
STOP_SECONDS = 1.0
_MOST_ROWS, _BATCH = 40, 8


def status(job: Job, now: float, emulator: Emulator) -> str:
    """The raw status at a time."""
    return job.forced if job.forced is not None else _true_status(job, now, emulator)


def _true_status(job: Job, now: float, emulator: Emulator) -> str:
    if job.stopped_at is not None:
        over = now >= job.stopped_at + STOP_SECONDS / emulator.speed
        return "Stopped" if over else "Stopping"
    elapsed = job.watch.elapsed(now)
    if job.failure is not None and elapsed >= emulator.timeline.starts(PHASES[1]):
        return "Failed"
    state = emulator.timeline.at(elapsed).state
    return "InProgress" if state in PHASES else state


def ended_at(job: Job, now: float, emulator: Emulator) -> float | None:
    """When it ended; None while it goes on."""
    if status(job, now, emulator) not in TERMINAL:
        return None
    if job.stopped_at is not None:
        return job.stopped_at + STOP_SECONDS / emulator.speed
    timeline = emulator.timeline
    elapsed = timeline.starts(PHASES[1]) if job.failure else timeline.seconds
    return min(now, job.watch.moment(elapsed))


def _details(job: Job, now: float, emulator: Emulator) -> dict[str, Any]:
    """The three phases; the one under way shares the job's own status."""
    timeline, raw = emulator.timeline, _true_status(job, now, emulator)
    elapsed = job.watch.elapsed(min(now, job.stopped_at) if job.stopped_at else now)
    if raw == "Failed":
        elapsed = 0.0
    found = {}
    for phase in PHASES:
        begins, lasts = timeline.starts(phase), timeline.lasts(phase)
        if elapsed < begins or (raw == "Failed" and phase != PHASES[0]):
            found[phase] = {"status": "NotStarted"}
            continue
        over = elapsed >= begins + lasts
        start, end = job.watch.moment(begins), job.watch.moment(begins + lasts)
        found[phase] = {
            "status": "Completed" if over else raw,
            "creationTime": stamp(start),
            "lastModifiedTime": stamp(min(now, end) if over else max(start, now)),
        }
    return found


def _head(job: Job, now: float, emulator: Emulator) -> dict[str, Any]:
    """What Get and List show alike."""
    ended = ended_at(job, now, emulator)
    head = {
        "jobArn": job.arn,
        "jobName": job.body["jobName"],
        "baseModelArn": job.base.arn(emulator.store.region),
        "status": status(job, now, emulator),
        "statusDetails": _details(job, now, emulator),
        "creationTime": stamp(job.watch.started),
        "lastModifiedTime": stamp(ended or now),
        "customizationType": job.kind,
    }
    return head if ended is None else {**head, "endTime": stamp(ended)}


def summary(job: Job, now: float, emulator: Emulator) -> dict[str, Any]:
    """An entry of a list, where the result is called ``customModel``."""
    row = {**_head(job, now, emulator), "customModelName": job.body["customModelName"]}
    if row["status"] == "Completed":
        row["customModelArn"] = job.model_arn
    return row


def view(job: Job, now: float, emulator: Emulator) -> dict[str, Any]:
    """The job object."""
    shown = _head(job, now, emulator)
    for name in ("roleArn", "trainingDataConfig", "outputDataConfig", "vpcConfig",
                 "customizationConfig"):  # fmt: skip
        if name in job.body:
            shown[name] = job.body[name]
    shown |= {
        "outputModelName": job.body["customModelName"],
        "clientRequestToken": job.body["clientRequestToken"],
        "hyperParameters": job.body.get("hyperParameters", {}),
        "validationDataConfig": job.body.get("validationDataConfig", {"validators": []}),
    }
    if "customModelKmsKeyId" in job.body:
        shown["outputModelKmsKeyArn"] = job.body["customModelKmsKeyId"]
    if shown["status"] == "Failed" and job.failure:
        shown["failureMessage"] = job.failure
    if shown["status"] == "Completed":
        shown |= {"outputModelArn": job.model_arn, **metrics(job)}
    return shown


def metrics(job: Job) -> dict[str, Any]:
    """The losses that a finished job shows."""
    losses = [loss for _, _, loss in training_rows(job)]
    found: dict[str, Any] = {"trainingMetrics": {"trainingLoss": losses[-1]}}
    if validators(job):
        found["validationMetrics"] = [{"validationLoss": losses[-1]} for _ in validators(job)]
    return found


def validators(job: Job) -> list[dict[str, str]]:
    """The validation files."""
    found = job.body.get("validationDataConfig", {}).get("validators", [])
    return list(found)


def epochs(job: Job) -> int:
    """How often the data was gone through (here 2 where nothing was asked for)."""
    rft = job.body.get("customizationConfig", {}).get("rftConfig", {}).get("hyperParameters", {})
    asked = job.body.get("hyperParameters", {}).get("epochCount") or rft.get("epochCount")
    return int(asked or 2)


def training_rows(job: Job) -> list[tuple[int, int, float]]:
    """Step, epoch and loss, as the metrics file has them; thinned out to 40 rows."""
    an_epoch = max(1, math.ceil(job.data.examples / _BATCH))
    steps = range(0, an_epoch * epochs(job))
    every = max(1, math.ceil(len(steps) / _MOST_ROWS))
    return [(step, step // an_epoch, round(2 / (1 + step), 4)) for step in steps[::every]]


def metrics_files(job: Job) -> dict[str, str]:
    """The files that a finished job leaves at its output location: path -> CSV."""
    root = f"model-customization-job-{job.id}"
    rows = [
        (step, epoch, loss, round(math.exp(loss), 4)) for step, epoch, loss in training_rows(job)
    ]
    path = "training_artifacts/step_wise_training_metrics.csv"
    files = {f"{root}/{path}": _csv("training_loss", rows)}
    if validators(job):
        path = "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv"
        files[f"{root}/{path}"] = _csv("validation_loss", rows[-1:])
    return files


def _csv(loss: str, rows: list[tuple[int, int, float, float]]) -> str:
    head = f"step_number,epoch_number,{loss},perplexity"
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"
