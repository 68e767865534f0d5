"""Model customization jobs: create, get, list, stop.

A taken name: ValidationException (see the package). Unverified: that a tuned model's name stays
taken while the model or an unfinished job has it, that objects that cannot be read are refused at
once, that a job which is not under way cannot be stopped (ConflictException, which the operation
has), and the sentence for a model at its end of life.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.timeline import Stopwatch

from . import foundation, lifecycle, models, tokens
from .bases import Base, Range
from .bucket import Unreadable
from .data import BadData, TrainingData, read_training_data
from .errors import conflict, invalid, missing
from .paging import page
from .store import Emulator, Job
from .surface import Asked

_CONFIG = {"DISTILLATION": "distillationConfig", "REINFORCEMENT_FINE_TUNING": "rftConfig"}
_IN_USE = "The provided {} name is currently in use."


async def create(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """CreateModelCustomizationJob."""
    body, store = asked.params, emulator.store
    if arn := tokens.known(emulator, asked.model, body):
        return {"jobArn": arn}
    kind = body.get("customizationType", "FINE_TUNING")
    base = _base(emulator, body["baseModelIdentifier"], kind, asked.now)
    _check_config(emulator, body, kind)
    _check_hyperparameters(body.get("hyperParameters", {}), base.ranges)
    _check_names(emulator, body, asked.now)
    data, failure = _read(emulator, body, kind, base)
    arn = store.arn("model-customization-job", f"{base.id}/")
    model_arn = store.arn("custom-model", f"{base.id}/")
    job = Job(arn[-12:], arn, model_arn, body, base, data, failure, Stopwatch(asked.now))
    store.jobs[job.id] = job
    store.tags[arn] = body.get("jobTags", [])
    store.tags[model_arn] = body.get("customModelTags", [])
    tokens.remember(emulator, asked.model, body, arn)
    return {"jobArn": arn}


def _base(emulator: Emulator, identifier: str, kind: str, now: float) -> Base:
    tuned = models.find(emulator, identifier, now)
    base = tuned.base if tuned else foundation.find(identifier, emulator.store.region)
    if base is None:
        raise invalid("The provided model identifier is invalid.")
    if foundation.ended(emulator, base, now):
        raise invalid("This model version has reached the end of its life.")
    if kind not in base.types:
        raise invalid(f"{base.id} does not support the customization type {kind}")
    return base


def _check_config(emulator: Emulator, body: dict[str, Any], kind: str) -> None:
    """The configuration that goes with a type, and none that goes with another."""
    config, needed = body.get("customizationConfig", {}), _CONFIG.get(kind)
    if needed is None and config:
        raise invalid(f"customizationConfig does not go with {kind}")
    if needed is not None and needed not in config:
        raise invalid(f"{kind} needs customizationConfig.{needed}")
    if kind == "DISTILLATION":
        teacher = config[needed]["teacherModelConfig"]["teacherModelIdentifier"]
        if foundation.find(teacher, emulator.store.region) is None:
            raise invalid("The provided teacher model identifier is invalid.")
    if kind == "REINFORCEMENT_FINE_TUNING":
        if "graderConfig" not in config[needed]:
            raise invalid("rftConfig needs a graderConfig")
        if body.get("hyperParameters"):
            raise invalid("hyperParameters of REINFORCEMENT_FINE_TUNING stand in rftConfig")
    if "s3Uri" not in body["trainingDataConfig"]:
        raise invalid("trainingDataConfig.s3Uri is needed")


def _check_hyperparameters(given: dict[str, str], ranges: dict[str, Range]) -> None:
    for name, text in given.items():
        if name not in ranges:
            raise invalid(f"hyperParameters: {name} is not one of {', '.join(ranges)}")
        allowed = ranges[name]
        try:
            value = int(text) if allowed.whole else float(text)
        except ValueError:
            wanted = "an integer" if allowed.whole else "a number"
            raise invalid(f"hyperParameters: {name} is not {wanted}") from None
        if not allowed.least <= value <= allowed.most:
            raise invalid(f"hyperParameters: {name} is not {allowed.least} to {allowed.most}")


def _check_names(emulator: Emulator, body: dict[str, Any], now: float) -> None:
    for job in emulator.store.jobs.values():
        if job.body["jobName"] == body["jobName"]:
            raise invalid(_IN_USE.format("job"))
        fruitless = lifecycle.status(job, now, emulator) in ("Failed", "Stopped")
        if fruitless or job.model_arn in emulator.store.deleted_models:
            continue
        if job.body["customModelName"] == body["customModelName"]:
            raise invalid(_IN_USE.format("custom model"))


def _read(
    emulator: Emulator, body: dict[str, Any], kind: str, base: Base
) -> tuple[TrainingData, str | None]:
    """The data, or why the job will fail; refuses what cannot be read at all."""
    bucket = emulator.store.bucket
    uris = [body["trainingDataConfig"]["s3Uri"]]
    uris += [each["s3Uri"] for each in body.get("validationDataConfig", {}).get("validators", [])]
    try:
        bucket.check(body["outputDataConfig"]["s3Uri"])
        contents = [bucket.read(uri) for uri in uris]
    except Unreadable as error:
        raise invalid(f"Validation error when accessing your S3 data: {error}") from None
    found = []
    for uri, content in zip(uris, contents, strict=True):
        try:
            found.append(read_training_data(content, kind, base.family))
        except BadData as error:
            return TrainingData(), f"{uri}: {error}"
    return found[0], None


def _find(emulator: Emulator, asked: Asked) -> Job:
    identifier = asked.params["jobIdentifier"]
    for job in emulator.store.jobs.values():
        if identifier in (job.arn, job.body["jobName"]):
            return job
    raise missing(f"the model customization job {identifier}")


async def get(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """GetModelCustomizationJob, by ARN or name."""
    return lifecycle.view(_find(emulator, asked), asked.now, emulator)


async def list_jobs(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListModelCustomizationJobs."""
    store = emulator.store
    rows = [
        lifecycle.summary(job, asked.now, emulator)
        for job in store.jobs.values()
        if store.listed(job.id, job.watch.started, asked.now)
    ]
    return page(
        "modelCustomizationJobSummaries", rows, asked.params, name="jobName",
        equal=(("statusEquals", "status"),),
    )  # fmt: skip


async def stop(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """StopModelCustomizationJob: Stopping for a moment, then Stopped."""
    job = _find(emulator, asked)
    raw = lifecycle.status(job, asked.now, emulator)
    if raw in lifecycle.TERMINAL:
        raise conflict(f"The job is {raw} and cannot be stopped")
    if job.stopped_at is None:
        job.stopped_at = asked.now
    return {}


def settle(emulator: Emulator, now: float) -> None:
    """Write the metrics of jobs that have completed since the last request."""
    for job in emulator.store.jobs.values():
        if job.metrics_written or lifecycle.status(job, now, emulator) != "Completed":
            continue
        root = job.body["outputDataConfig"]["s3Uri"].rstrip("/")
        for path, text in lifecycle.metrics_files(job).items():
            emulator.store.bucket.put(f"{root}/{path}", text.encode())
        job.metrics_written = True
