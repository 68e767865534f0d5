"""Tuning jobs: create, get, list, cancel. There is no delete and no key in the service's API.

Unverified: which models each method takes (here all Gemini models take all methods, open models
supervised tuning and distillation alone), that ``global`` is refused, that cancelling a job that
ended is FAILED_PRECONDITION, that a file that is not there is refused at once, and Gemini's full
tuning.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.plumbing import Call
from ftbridge.testing.timeline import Stopwatch

from . import lifecycle, models, rewards, storage
from .data import LARGEST, BadData, TrainingData, read_training_data
from .errors import invalid, not_found, not_now
from .paging import id_of, page, parameters
from .schema import CREATE, LABEL, SPECS, checked
from .store import Emulator, Endpoint, Failure, Job, new_id, resource

OPEN_REGIONS = frozenset({"us-central1", "europe-west4"})
OPEN_MODELS = frozenset({
    "google/gemma-3-27b-it",
    "meta/llama3_1@llama-3.1-8b",
    "meta/llama3_1@llama-3.1-8b-instruct",
    "meta/llama3-2@llama-3.2-1b-instruct",
    "meta/llama3-2@llama-3.2-3b-instruct",
    "meta/llama3-3@llama-3.3-70b-instruct",
    "meta/llama4@llama-4-scout-17b-16e-instruct",
    "qwen/qwen3@qwen3-32b",
})  # fmt: skip
"""docs.cloud.google.com open-model-tuning, seen 2026-11-25."""
GEMINI = frozenset({
    "gemini-2.0-flash-001",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-pro",
    "gemini-3.1-flash-lite",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
})  # fmt: skip
"""The tuning reference page of the renamed product lists most of these names; whether an id takes
a suffix is unverified."""
_DATA = {"distillationSpec": "promptDatasetUri"}


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST tuningJobs: refuses what is wrong with the request; bad data fail the job later."""
    parameters(call)
    location = call.path["location"]
    if location == "global":
        raise invalid("Tuning is a regional service: global is not supported.")
    body = checked(CREATE, call.body)
    spec_name = _only_spec(body)
    check_labels(body)
    before, base = _base(emulator, body, location, call.now)
    _check_method(body, spec_name, base, location)
    data, failure = _read(emulator, body[spec_name], spec_name, base, call.now)
    job = Job(
        new_id(), location, body, spec_name, base, data, failure, Stopwatch(call.now),
        model_id=before.model_id if before else new_id(), endpoint_ids=[],
    )  # fmt: skip
    job.endpoint_ids = [new_id() for _ in lifecycle.checkpoint_ids(job)]
    if before:
        job.version = len(emulator.store.models[job.model_id]) + 1
    if "outputUri" not in body:
        _announce(emulator, job)
    emulator.store.jobs[job.id] = job
    return lifecycle.view(job, call.now, emulator)


def _announce(emulator: Emulator, job: Job) -> None:
    """Set down the model and the endpoints to come; they show once the job has succeeded."""
    store = emulator.store
    store.models.setdefault(job.model_id, []).append(job)
    shown = job.body.get("tunedModelDisplayName", f"tuned-{job.id}")
    for number, name in zip(lifecycle.checkpoint_ids(job), job.endpoint_ids, strict=True):
        deployed: dict[str, tuple[str, str | None]] = {new_id(): (job.model_id, number)}
        labels = job.body.get("labels", {})
        made = Endpoint(name, job.location, shown, job.watch.started, labels, deployed)
        store.endpoints[name] = made


def _only_spec(body: dict[str, Any]) -> str:
    found = [name for name in SPECS if name in body]
    if len(found) != 1:
        raise invalid(f"Exactly one tuning spec is required, got {len(found)}.", "tuning_spec")
    return found[0]


def check_labels(body: dict[str, Any]) -> None:
    """Raise 400 for a label that Google would not take."""
    for key, value in body.get("labels", {}).items():
        for text in (key, *([value] if value else [])):
            if not LABEL.fullmatch(text) or text != text.lower():
                raise invalid(
                    f"labels: {text!r} is not lowercase letters, digits, _ and -", "labels"
                )


def _base(
    emulator: Emulator, body: dict[str, Any], location: str, now: float
) -> tuple[Job | None, str]:
    """The job that is continued, if any, and the base model."""
    asked, before = body.get("baseModel"), body.get("preTunedModel")
    if (asked is None) == (before is None):
        raise invalid("Exactly one of base_model and pre_tuned_model is required.", "source_model")
    if before is None:
        base = str(asked).removeprefix("publishers/google/models/")
        if base not in GEMINI | OPEN_MODELS:
            raise invalid(f"Base model {asked} is not supported.", "base_model")
        return None, base
    model_id = id_of(before["tunedModelName"], "models", location, "tunedModelName")
    job = models.tuned(emulator, model_id, now)
    if before.get("checkpointId", "1") not in lifecycle.checkpoint_ids(job):
        raise invalid("pre_tuned_model: there is no such checkpoint", "checkpointId")
    return job, job.base_model


def _check_method(body: dict[str, Any], spec_name: str, base: str, location: str) -> None:
    spec = body[spec_name]
    settings = spec.get("hyperParameters", {})
    if base in OPEN_MODELS:
        _check_open(body, spec_name, location)
    else:
        for name in ("outputUri", "customBaseModel"):
            if name in body:
                raise invalid(f"{name} is for open source models only.", name)
        if spec.get("tuningMode") == "TUNING_MODE_FULL":
            raise invalid(f"Full fine-tuning is not supported for {base}.", "tuningMode")
        refused = {"learningRate", "batchSize"} & settings.keys()
        if refused and spec_name != "reinforcementTuningSpec":
            raise invalid(f"{min(refused)} is for open source models only.", min(refused))
    if spec_name == "distillationSpec":
        teachers = spec.keys() & {"baseTeacherModel", "tunedTeacherModelSource"}
        if len(teachers) != 1:
            raise invalid("Exactly one teacher model is required.", "teacher_model")
    if spec_name == "reinforcementTuningSpec":
        rewards.check(spec)
        _check_batches(settings)


def _check_open(body: dict[str, Any], spec_name: str, location: str) -> None:
    if spec_name not in ("supervisedTuningSpec", "distillationSpec"):
        raise invalid(f"{spec_name} is not supported for open source models.", spec_name)
    if location not in OPEN_REGIONS:
        raise invalid(f"Open source models cannot be tuned in {location}.")
    if not str(body.get("outputUri", "")).startswith("gs://"):
        raise invalid("output_uri is required for open source models.", "output_uri")
    settings = body[spec_name].get("hyperParameters", {})
    if "learningRateMultiplier" in settings:
        raise invalid("learningRateMultiplier is for Google models.", "learningRateMultiplier")
    if body[spec_name].get("tuningMode") == "TUNING_MODE_FULL" and "adapterSize" in settings:
        raise invalid("adapterSize does not fit full fine-tuning.", "adapterSize")


def _check_batches(settings: dict[str, Any]) -> None:
    if "epochCount" in settings and "stepCount" in settings:
        raise invalid("epoch_count and step_count are mutually exclusive.", "stepCount")
    product = settings.get("batchSize", 32) * settings.get("samplesPerPrompt", 16)
    if product % 16 or product > 8192:
        raise invalid(
            f"batch_size * samples_per_prompt is {product}, not a multiple of 16 up to 8192.",
            "batchSize",
        )


def _read(
    emulator: Emulator, spec: dict[str, Any], spec_name: str, base: str, now: float
) -> tuple[TrainingData, Failure | None]:
    """The training data, and what is wrong with them or with the validation data."""
    uris = [spec[_DATA.get(spec_name, "trainingDatasetUri")]]
    if "validationDatasetUri" in spec:
        uris.append(spec["validationDatasetUri"])
    read: list[TrainingData] = []
    for uri in uris:
        content = storage.read(emulator, uri, now)
        try:
            found = read_training_data(content, spec_name, base in OPEN_MODELS)
            most = LARGEST.get(spec_name)
            if most and found.examples > most[len(read)]:
                raise BadData(f"{found.examples} examples, at most {most[len(read)]}")
        except BadData as error:
            return TrainingData(), Failure(3, f"Failed to process {uri}: {error}")
        read.append(found)
    return read[0], None


def _find(emulator: Emulator, call: Call) -> Job:
    job = emulator.store.jobs.get(call.path["id"])
    if job is None or job.location != call.path["location"]:
        raise not_found(resource(call.path["location"], "tuningJobs", call.path["id"]))
    return job


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET tuningJobs/{id}."""
    parameters(call)
    return lifecycle.view(_find(emulator, call), call.now, emulator)


async def list_jobs(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET tuningJobs of a location, newest first."""
    store, location = emulator.store, call.path["location"]
    rows = [
        lifecycle.view(job, call.now, emulator)
        for job in reversed(store.jobs.values())
        if job.location == location and store.listed(job.id, job.watch.started, call.now)
    ]
    return page("tuningJobs", rows, call)


async def cancel(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST :cancel, without a body; the answer is empty. Asking again changes nothing."""
    parameters(call)
    if call.body:
        raise invalid("The body of a cancel is empty.")
    job = _find(emulator, call)
    word = lifecycle.state(job, call.now, emulator)
    if word in lifecycle.TERMINAL:
        raise not_now(f"The tuning job is in {word} and cannot be cancelled.")
    if job.cancelled_at is None:
        job.cancelled_at = call.now
    return {}
