"""A tuning job's state and object, as a pure function of what was asked, what was done, the time.

States and sub-states are the SDK's enums. Unverified: their order, that ``tuningJobState`` is
shown only while the job runs, the moment of each field's first appearance, checkpoints one an epoch
with an endpoint each, and a step as ``ceil(examples / 32)`` an epoch. int64 fields are strings in
the JSON, as protobuf has it. ``totalBillableTokenCount`` counts the data set once, by its
description ("billable tokens in the tuning dataset"): the bill is that times the epochs.
"""

from __future__ import annotations

import math
from typing import Any

from .store import Emulator, Job, resource, stamp

TERMINAL = frozenset(
    f"JOB_STATE_{word}"
    for word in ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED")
)
SUB = "TUNING_JOB_STATE_"
CANCEL_SECONDS = 1.0
_BATCH = 32
_INT64 = ("epochCount", "stepCount", "batchSize", "samplesPerPrompt")
_STATS = {
    "supervisedTuningSpec": "supervisedTuningDataStats",
    "preferenceOptimizationSpec": "preferenceOptimizationDataStats",
    "distillationSpec": "distillationDataStats",
    "reinforcementTuningSpec": "reinforcementTuningDataStats",
}


def raw_state(job: Job, now: float, emulator: Emulator) -> str:
    """The phase at a time: a job state, or the sub-state of a running one."""
    if job.forced is not None:
        return job.forced
    if job.cancelled_at is not None:
        over = now >= job.cancelled_at + CANCEL_SECONDS / emulator.speed
        return "JOB_STATE_CANCELLED" if over else "JOB_STATE_CANCELLING"
    elapsed = job.watch.elapsed(now)
    if job.failure is not None and elapsed >= _failed_at(emulator):
        return "JOB_STATE_FAILED"
    return emulator.timeline.at(elapsed).state


def state(job: Job, now: float, emulator: Emulator) -> str:
    """The job state at a time."""
    raw = raw_state(job, now, emulator)
    return "JOB_STATE_RUNNING" if raw.startswith(SUB) else raw


def _failed_at(emulator: Emulator) -> float:
    """Bad data are found while the data set is processed."""
    return emulator.timeline.starts(f"{SUB}WAITING_FOR_CAPACITY")


def ended_at(job: Job, now: float, emulator: Emulator) -> float | None:
    """When it ended; None while it goes on."""
    if state(job, now, emulator) not in TERMINAL:
        return None
    if job.cancelled_at is not None:
        return job.cancelled_at + CANCEL_SECONDS / emulator.speed
    elapsed = _failed_at(emulator) if job.failure else emulator.timeline.seconds
    return min(now, job.watch.moment(elapsed))


def epochs(job: Job) -> int:
    """How often it goes through the data: as asked, or as the reinforcement page computes it."""
    asked = job.settings.get("epochCount")
    if asked is not None:
        return int(asked)
    if job.spec_name != "reinforcementTuningSpec":
        return 3
    batch = job.settings.get("batchSize", _BATCH)
    return max(1, min(int(110 * batch / max(job.data.examples, 1)), 10))


def steps(job: Job) -> int:
    """How many steps the whole job takes."""
    if job.settings.get("stepCount"):
        return int(job.settings["stepCount"])
    batch = job.settings.get("batchSize", _BATCH)
    made: int = math.ceil(job.data.examples / batch) * epochs(job)
    return min(made, 500) if job.spec_name == "reinforcementTuningSpec" else made


def _share(job: Job, now: float, emulator: Emulator) -> float:
    """How much of the tuning itself is over (0..1)."""
    line = emulator.timeline
    if job.failure is not None:
        return 0.0
    stopped = now if job.cancelled_at is None else job.cancelled_at
    passed = job.watch.elapsed(stopped) - line.starts(f"{SUB}TUNING")
    return min(max(passed / line.lasts(f"{SUB}TUNING"), 0.0), 1.0)


def checkpoint_ids(job: Job) -> list[str]:
    """The ids of its checkpoints: one an epoch, or the last alone."""
    only_last = job.spec.get("exportLastCheckpointOnly", False)
    return ["1"] if only_last else [str(number) for number in range(1, epochs(job) + 1)]


def checkpoints(job: Job) -> list[dict[str, Any]]:
    """Each checkpoint, with the endpoint that it is deployed on."""
    ids = checkpoint_ids(job)
    each = steps(job) / len(ids)
    ends = resource(job.location, "endpoints")
    return [
        {
            "checkpointId": name,
            "epoch": str(epochs(job) if len(ids) == 1 else number),
            "step": str(round(each * number)),
            "endpoint": f"{ends}/{job.endpoint_ids[number - 1]}",
        }
        for number, name in enumerate(ids, start=1)
    ]


def _tuned(job: Job) -> dict[str, Any]:
    shown = {
        "model": f"{resource(job.location, 'models', job.model_id)}@{job.version}",
        "endpoint": resource(job.location, "endpoints", job.endpoint_ids[-1]),
    }
    if len(checkpoint_ids(job)) < 2:
        return shown
    return {**shown, "checkpoints": checkpoints(job)}


def _stats(job: Job) -> dict[str, Any]:
    data = job.data
    counts: dict[str, Any] = {
        "tuningDatasetExampleCount": str(data.examples),
        "totalBillableTokenCount": str(data.tokens),
        "tuningStepCount": str(steps(job)),
        "userInputTokenDistribution": {"sum": str(data.input_tokens)},
        "userOutputTokenDistribution": {"sum": str(data.output_tokens)},
    }
    if job.spec_name != "preferenceOptimizationSpec":
        counts["totalTuningCharacterCount"] = str(data.characters)
        counts["totalBillableCharacterCount"] = str(data.characters)
    if job.spec_name == "distillationSpec":
        counts = {"trainingDatasetStats": counts}
    return {_STATS[job.spec_name]: counts}


def _error(job: Job, word: str) -> dict[str, Any] | None:
    if word == "JOB_STATE_FAILED":
        failure = job.failure
        code, message = (failure.code, failure.message) if failure else (13, "Internal error.")
        return {"code": code, "message": message}
    if word == "JOB_STATE_CANCELLED":
        return {"code": 1, "message": "The tuning job was cancelled."}
    return None


def _echo(body: dict[str, Any], spec_name: str) -> dict[str, Any]:
    """The body as it comes back: int64 as strings."""
    spec = dict(body[spec_name])
    if "hyperParameters" in spec:
        spec["hyperParameters"] = {
            key: str(value) if key in _INT64 else value
            for key, value in spec["hyperParameters"].items()
        }
    return {**body, spec_name: spec}


def view(job: Job, now: float, emulator: Emulator) -> dict[str, Any]:
    """The job object."""
    raw, word = raw_state(job, now, emulator), state(job, now, emulator)
    line, ended = emulator.timeline, ended_at(job, now, emulator)
    begun = job.watch.moment(line.starts(f"{SUB}WAITING_FOR_QUOTA"))
    shown = {
        **_echo(job.body, job.spec_name),
        "name": resource(job.location, "tuningJobs", job.id),
        "state": word,
        "createTime": stamp(job.watch.started),
        "updateTime": stamp(now if ended is None else ended),
    }
    if raw.startswith(SUB):
        shown["tuningJobState"] = raw
    last = now if job.cancelled_at is None else job.cancelled_at
    if begun <= last:
        shown["startTime"] = stamp(begun)
        context = ("metadataStores", "default", "contexts", f"tuning-experiment-{job.id}")
        shown["experiment"] = resource(job.location, *context)
    if ended is not None:
        shown["endTime"] = stamp(ended)
    if (error := _error(job, word)) is not None:
        shown["error"] = error
    if job.failure is None and job.watch.elapsed(last) >= _failed_at(emulator):
        shown["tuningDataStats"] = _stats(job)
        share = _share(job, now, emulator)
        shown["tuningJobMetadata"] = {
            "completedEpochCount": str(int(share * epochs(job))),
            "completedStepCount": str(int(share * steps(job))),
        }
    if word == "JOB_STATE_SUCCEEDED" and "outputUri" not in job.body:
        shown["tunedModel"] = _tuned(job)
    return shown
