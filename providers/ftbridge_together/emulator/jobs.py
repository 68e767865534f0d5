"""``/v1/fine-tunes`` and the download of weights.

A job whose file is still being validated is taken, and ends in ``error`` if the file is bad;
one whose file was found bad already is refused (a likeness, unverified). The archive is a
plain tar with an adapter's two files; the vendor's own compression was not seen.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from starlette.responses import Response

from ftbridge.testing.plumbing import Call
from ftbridge.testing.timeline import Stopwatch

from . import files, lifecycle
from .data import TrainingData
from .errors import ApiError, not_found
from .schema import CREATE, ESTIMATE, MODELS, check, check_limits, limits
from .store import Emulator, Failure, Job, new_id

USD_PER_MILLION = 0.5  # an example: the vendor publishes no figure that could be read


async def model_limits(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine-tunes/models/limits."""
    name = call.query.get("model_name")
    if not name:
        raise ApiError("model_name is required", "model_name")
    return limits(_base(emulator, {"from_checkpoint": name} if name not in MODELS
                        else {"model": name}))  # fmt: skip


async def estimate(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine-tunes/estimate-price; no estimate until the files are validated."""
    body = check(ESTIMATE, call.body)
    for name, short in (("training_file", "train"), ("validation_file", "eval")):
        if body.get(name):
            state = files.status(emulator, files.file(emulator, body[name]), call.now)
            if state == "INVALID_FORMAT":
                return _no_estimate(f"{short}_file_invalid")
            if state != "COMPLETED":
                return _no_estimate(f"{short}_file_not_validated")
    trained, evaluated = _tokens(emulator, body)
    price = _price(trained, evaluated)
    return {
        "estimation_available": True,
        "estimated_total_price": price,
        "allowed_to_proceed": price <= emulator.store.user_limit,
        "user_limit": emulator.store.user_limit,
        "estimated_train_token_count": trained,
        "estimated_eval_token_count": evaluated,
    }


async def create(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine-tunes."""
    body = check(CREATE, call.body)
    base = _base(emulator, body)
    check_limits(body, base)
    data, failure = _data(emulator, body, call.now)
    price = _price(*_tokens(emulator, body))
    if price > emulator.store.user_limit:
        message = "the job would exceed the account's credit"
        raise ApiError(message, code="insufficient_funds", kind="credit_limit", status=402)
    made = new_id("ft-")
    suffix = f"-{body['suffix']}" if body.get("suffix") else ""
    output = f"sandbox/{base.split('/')[-1]}{suffix}-{made[3:11]}"
    watch = Stopwatch(call.now)
    job = Job(made, {**body, "model": base}, output, data, failure, price, watch)
    emulator.store.jobs[made] = job
    return lifecycle.view(emulator, job, call.now, short=True)


async def list_jobs(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine-tunes: all, newest first, without pages."""
    store = emulator.store
    listed = [job for job in store.jobs.values()
              if store.listed(job.id, job.watch.started, call.now)]  # fmt: skip
    shown = [lifecycle.view(emulator, job, call.now, short=True) for job in reversed(listed)]
    return {"data": shown}


async def retrieve(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine-tunes/{id}."""
    return lifecycle.view(emulator, _job(emulator, call), call.now, short=False)


async def delete(emulator: Emulator, call: Call) -> dict[str, Any]:
    """DELETE /fine-tunes/{id}, once it is over (unverified)."""
    job = _job(emulator, call)
    if lifecycle.status(emulator, job, call.now) not in lifecycle.TERMINAL:
        raise ApiError("cancel the job before deleting it", code="job_active")
    del emulator.store.jobs[job.id]
    return {"message": f"{job.id} was deleted"}


async def cancel(emulator: Emulator, call: Call) -> dict[str, Any]:
    """POST /fine-tunes/{id}/cancel: requested now, done a little later."""
    job = _job(emulator, call)
    state = lifecycle.status(emulator, job, call.now)
    if state in lifecycle.TERMINAL:
        raise ApiError(f"a job that is {state} cannot be cancelled", code="invalid_state")
    if job.cancel_asked_at is None:
        job.cancel_asked_at = call.now
    return lifecycle.view(emulator, job, call.now, short=True)


async def list_events(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine-tunes/{id}/events."""
    return {"data": lifecycle.events(emulator, _job(emulator, call), call.now)}


async def list_checkpoints(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine-tunes/{id}/checkpoints."""
    return {"data": lifecycle.checkpoints(emulator, _job(emulator, call), call.now)}


async def list_metrics(emulator: Emulator, call: Call) -> dict[str, Any]:
    """GET /fine-tunes/{id}/metrics, between two steps if asked."""
    low = float(call.query.get("global_step_from", 0))
    high = float(call.query.get("global_step_to", "inf"))
    rows = lifecycle.metrics(emulator, _job(emulator, call), call.now)
    return {"metrics": [row for row in rows if low <= row["global_step"] <= high]}


async def download(emulator: Emulator, call: Call) -> Response:
    """GET /finetune/download?ft_id=...&checkpoint=merged|adapter or checkpoint_step."""
    job = emulator.store.jobs.get(call.query.get("ft_id", ""))
    if job is None:
        raise not_found("fine-tune job")
    kind, step = call.query.get("checkpoint"), call.query.get("checkpoint_step")
    if kind not in {None, "merged", "adapter", "model_output_path"}:
        raise ApiError("unknown checkpoint", "checkpoint")
    if kind is None and step is None:
        raise ApiError("checkpoint or checkpoint_step is required", "checkpoint")
    known = [str(c["step"]) for c in lifecycle.checkpoints(emulator, job, call.now)]
    if step not in {None, "0", *known} or not known:
        raise ApiError("no such checkpoint yet", "checkpoint_step", code="not_ready")
    stem = "adapter" if kind == "adapter" else "model"
    return Response(_archive(job, stem), media_type="application/octet-stream")


def _archive(job: Job, stem: str) -> bytes:
    header = json.dumps({"__metadata__": {"format": "pt"}}).encode()
    config = {"base_model_name_or_path": job.body["model"], "peft_type": "LORA"}
    parts = {
        "adapter_config.json" if stem == "adapter" else "config.json": json.dumps(config).encode(),
        f"{'adapter_model' if stem == 'adapter' else 'model'}.safetensors":
            len(header).to_bytes(8, "little") + header,
    }  # fmt: skip
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _no_estimate(reason: str) -> dict[str, Any]:
    return {"estimation_available": False, "unavailable_reason": reason}


def _job(emulator: Emulator, call: Call) -> Job:
    job = emulator.store.jobs.get(call.path["job_id"])
    if job is None:
        raise not_found(f"fine-tune job {call.path['job_id']}")
    return job


def _base(emulator: Emulator, body: dict[str, Any]) -> str:
    """The base model: named, or that of the job a checkpoint belongs to."""
    model, origin = body.get("model"), body.get("from_checkpoint")
    if bool(model) == bool(origin):
        raise ApiError("give either model or from_checkpoint", "model")
    if origin:
        name = origin.split(":")[0]
        for job in emulator.store.jobs.values():
            if name in (job.id, job.output_name):
                return str(job.body["model"])
        raise not_found(f"checkpoint {origin}")
    if model not in MODELS:
        raise ApiError(f"{model} is not available for fine-tuning", "model", code="model_not_found")
    return str(model)


def _data(
    emulator: Emulator, body: dict[str, Any], now: float
) -> tuple[TrainingData, Failure | None]:
    stored = files.file(emulator, body["training_file"])
    if body.get("validation_file"):
        files.file(emulator, body["validation_file"])
    if files.status(emulator, stored, now) == "INVALID_FORMAT":
        raise ApiError("the training file is invalid", "training_file", code="invalid_file")
    report = stored.report
    if report is None or report.error is not None:
        return TrainingData(), Failure("the training file did not pass validation")
    preference = body.get("training_method", {}).get("method") == "dpo"
    if preference != (report.data.format == "PREFERENCE"):
        return report.data, Failure("the training file does not fit the training method")
    return report.data, None


def _tokens(emulator: Emulator, body: dict[str, Any]) -> tuple[int, int]:
    counts = []
    for name in ("training_file", "validation_file"):
        stored = emulator.store.files.get(body.get(name) or "")
        counts.append(stored.report.data.tokens if stored and stored.report else 0)
    return counts[0] * body.get("n_epochs", 1), counts[1] * body.get("n_evals", 0)


def _price(trained: int, evaluated: int) -> float:
    return (trained + evaluated) * USD_PER_MILLION / 1e6
