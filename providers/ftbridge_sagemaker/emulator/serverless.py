"""Serverless customization jobs: states by the clock, a model package version in the end.

Unverified: which secondary statuses such a job goes through (here those of any job), when it reads
its data (here in Downloading), what lies below its output, and that tokens are counted per epoch.
"""

from __future__ import annotations

import json
from typing import Any

from .bucket import Unreadable
from .data import BadData, read
from .store import FINAL, Emulator, Package, TrainingJob, Transition

SAID = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training is in progress",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
}


def schedule(emulator: Emulator, job: TrainingJob) -> None:
    """Plan the job's course."""
    timeline = emulator.timeline
    for name in [*(phase.state for phase in timeline.phases[1:]), timeline.final]:
        job.plan.append(Transition(name, job.created + timeline.starts(name), SAID[name]))


def advance(emulator: Emulator, now: float) -> None:
    """Bring all serverless jobs to where they are by now."""
    for job in list(emulator.store.jobs.values()):
        while job.plan and job.plan[0].start <= now and job.status not in FINAL:
            _enter(emulator, job, job.plan.pop(0))


def stop(emulator: Emulator, job: TrainingJob, now: float) -> None:
    """Stop it: a second later it is stopped."""
    job.move("Stopping", "Stopping", now, "Stopping the training job")
    job.plan = [Transition("Stopped", now + 1 / emulator.speed, "Training job stopped")]


def _enter(emulator: Emulator, job: TrainingJob, step: Transition) -> None:
    status = step.status if step.status in FINAL else "InProgress"
    if step.status == "Training":
        job.started = step.start
    if step.status == "Downloading" and (wrong := _read(emulator, job)):
        job.failure = f"ClientError: {wrong}"[:1024]
        status, step = "Failed", Transition("Failed", step.start, "Training job failed")
    if step.status == "Completed":
        _finish(emulator, job, step.start)
    job.move(status, step.status, step.start, step.message)
    if step.status == "Stopped" or status == "Failed":
        job.plan.clear()


def _read(emulator: Emulator, job: TrainingJob) -> str | None:
    """Learn from the training channel; what is wrong with it."""
    technique = job.body["ServerlessJobConfig"]["CustomizationTechnique"]
    epochs = int(job.body.get("HyperParameters", {}).get("max_epochs", "1"))
    channels = {each["ChannelName"]: each for each in job.body["InputDataConfig"]}
    if "train" not in channels:
        return "the channel train is missing"
    uri = channels["train"]["DataSource"]["S3DataSource"]["S3Uri"]
    try:
        for user, answer, tokens in read(emulator.store.bucket.contents(uri), technique):
            job.pairs.append((user, answer))
            job.tokens += tokens * epochs
    except (BadData, Unreadable) as error:
        return str(error)
    return None if job.pairs else "the channel train holds no examples"


def _finish(emulator: Emulator, job: TrainingJob, now: float) -> None:
    """The model into S3, and a version of it into the group."""
    store = emulator.store
    card = {"base_model": job.body["ServerlessJobConfig"]["BaseModelArn"], "sandbox": True}
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        store.bucket.put(f"{job.output}/{name}", json.dumps(card).encode())
    group = next(
        each
        for each in store.groups.values()
        if each.arn == job.body["ModelPackageConfig"]["ModelPackageGroupArn"]
    )
    name = group.body["ModelPackageGroupName"]
    version = 1 + max((each.version for each in store.packages.values() if each.group == name),
                      default=0)  # fmt: skip
    arn = store.arn("model-package", f"{name}/{version}")
    store.packages[arn] = Package(arn, name, version, job, now)
    job.package = arn


def view(emulator: Emulator, job: TrainingJob, now: float) -> dict[str, Any]:
    """What DescribeTrainingJob says of a serverless job alone."""
    shown: dict[str, Any] = {"ProgressInfo": _progress(emulator, job, now)}
    if job.package:
        shown["OutputModelPackageArn"] = job.package
    if job.status == "Completed":
        shown["BillableTokenCount"] = job.tokens
    if "MlflowConfig" in job.body:
        shown["MlflowDetails"] = {"MlflowExperimentId": "1", "MlflowRunId": f"run-{job.name}"}
    return shown


def _progress(emulator: Emulator, job: TrainingJob, now: float) -> dict[str, int]:
    steps = max(1, len(job.pairs))
    epochs = int(job.body.get("HyperParameters", {}).get("max_epochs", "1"))
    share = 0.0
    if job.started is not None:
        lasting = emulator.timeline.lasts("Training") or 1.0
        share = min(1.0, ((job.ended or now) - job.started) / lasting)
    done = int(share * steps * epochs)
    return {
        "TotalStepCountPerEpoch": steps,
        "CurrentStep": done,
        "CurrentEpoch": min(epochs, done // steps + 1) if done else 0,
        "MaxEpoch": epochs,
    }
