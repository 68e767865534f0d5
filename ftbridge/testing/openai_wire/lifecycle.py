"""A job as it stands at a time: state, fields, events, checkpoints; all from `Job` and a clock.

Order and wording of the events, the metrics in them and the base64 of the results file were
seen in clients' recorded answers; so were ``error`` as an object of nulls on a healthy job,
``hyperparameters`` null for DPO, and "auto" until the run starts. The names of RL's rewards
are those of Microsoft's guide (how-to-reinforcement-fine-tuning-content.md, 2026-03-19). Invented
here: the numbers chosen for "auto" and all metric values.
"""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from typing import Any

from ftbridge.testing.timeline import Timeline

from .store import Job, StoredFile

ORGANIZATION = "org-sandbox"
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
KEPT_CHECKPOINTS = 3
_AUTO: dict[str, dict[str, Any]] = {
    "supervised": {},
    "dpo": {"beta": 0.1},
    "reinforcement": {
        "compute_multiplier": 1.0,
        "eval_interval": 5,
        "eval_samples": 1,
        "reasoning_effort": "medium",
    },
}


def status(job: Job, now: float, timeline: Timeline) -> str:
    """The raw status that the vendor would report."""
    if job.forced is not None:
        return job.forced
    if job.cancelled_at is not None:
        return "cancelled"
    if job.watch.stopped(now):
        # A resumed job waits for its turn again before its own time runs on.
        return "paused" if math.isinf(job.watch.stops[-1][1]) else "queued"
    state = timeline.at(job.watch.elapsed(now)).state
    return "failed" if job.failure and state != "validating_files" else state


def _sent(job: Job) -> dict[str, Any]:
    kind = job.method["type"]
    sent: dict[str, Any] = job.method[kind]["hyperparameters"]
    common = ("batch_size", "learning_rate_multiplier", "n_epochs")
    return {**dict.fromkeys((*common, *_AUTO[kind]), "auto"), **sent}


def resolved(job: Job) -> dict[str, Any]:
    """The hyperparameters with a number in place of every "auto"."""
    chosen = {
        "batch_size": max(1, min(256, job.data.examples // 500)),
        "learning_rate_multiplier": 1.8,
        "n_epochs": 3,
        **_AUTO[job.method["type"]],
    }
    sent = _sent(job)
    return {name: chosen[name] if value == "auto" else value for name, value in sent.items()}


def _epoch_steps(job: Job) -> int:
    return math.ceil(job.data.examples / int(resolved(job)["batch_size"]))


def total_steps(job: Job) -> int:
    """Steps in the whole run."""
    return _epoch_steps(job) * int(resolved(job)["n_epochs"])


def model_name(job: Job) -> str:
    """The name of the finished model."""
    return _snapshot(job, job.model_ids[-1])


def _snapshot(job: Job, model_id: str, step: int | None = None) -> str:
    return job.naming(job.model, job.suffix, model_id, step)


def view(job: Job, now: float, timeline: Timeline) -> dict[str, Any]:
    """The ``fine_tuning.job`` object."""
    state = status(job, now, timeline)
    done, kind = state == "succeeded", job.method["type"]
    begun = job.watch.elapsed(now) >= timeline.starts("running") and not job.failure
    hyperparameters = resolved(job) if begun else _sent(job)
    failure = job.failure if state == "failed" else None
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "model": job.model,
        "created_at": int(job.watch.started),
        "finished_at": _finished(job, state, now, timeline),
        "fine_tuned_model": model_name(job) if done else None,
        "organization_id": ORGANIZATION,
        "result_files": [job.result_file] if done else [],
        "status": state,
        "training_file": job.training_file,
        "validation_file": job.validation_file,
        "hyperparameters": hyperparameters if kind == "supervised" else None,
        "trained_tokens": _trained_tokens(job) if done else None,
        "error": {
            "code": failure.code if failure else None,
            "message": failure.message if failure else None,
            "param": failure.param if failure else None,
        },
        "user_provided_suffix": job.suffix or None,
        "seed": job.seed,
        "estimated_finish": _estimate(job, timeline) if state == "running" else None,
        "integrations": job.integrations,
        "metadata": job.metadata,
        "usage_metrics": None,
        "shared_with_openai": False,
        "method": {
            "type": kind,
            kind: {**job.method[kind], "hyperparameters": hyperparameters},
        },
    }


def _estimate(job: Job, timeline: Timeline) -> int | None:
    end = job.watch.moment(timeline.seconds)
    return None if math.isinf(end) else int(end)  # inf: a stopped job that was forced to run


def _trained_tokens(job: Job) -> int:
    return job.data.tokens * int(resolved(job)["n_epochs"])


def _finished(job: Job, state: str, now: float, timeline: Timeline) -> int | None:
    if state not in TERMINAL:
        return None
    if job.cancelled_at is not None:
        return int(job.cancelled_at)
    ends = timeline.starts("queued") if job.failure else timeline.seconds
    return int(min(now, job.watch.moment(ends)))


def _noise(job: Job, step: int) -> float:
    digest = hashlib.sha256(f"{job.seed}/{step}".encode()).digest()
    return digest[0] / 255


def metrics(job: Job, step: int) -> dict[str, float]:
    """What a step reports: a loss that falls, the same for the same seed."""
    total = total_steps(job)
    loss = round(0.2 + 2.3 * math.exp(-4 * step / total) + 0.1 * _noise(job, step), 5)
    accuracy = round(min(1.0, 1 - loss / 4), 5)
    row: dict[str, float] = {
        "step": step,
        "train_loss": loss,
        "total_steps": total,
        "train_mean_token_accuracy": accuracy,
    }
    reinforced = job.method["type"] == "reinforcement"
    if reinforced:
        row["train_reward_mean"] = accuracy
    if job.validates and (step % 10 == 0 or step == total):
        row |= {"valid_loss": round(loss * 1.1, 5), "valid_mean_token_accuracy": accuracy}
        if reinforced:
            row["valid_reward_mean"] = accuracy
    if job.validates and step % _epoch_steps(job) == 0:
        row |= {
            "full_valid_loss": round(loss * 1.12, 5),
            "full_valid_mean_token_accuracy": accuracy,
        }
    return row


@dataclass(frozen=True)
class _Happening:
    """An event before it gets its id: at which job time, and what it says."""

    at: float
    message: str
    level: str = "info"
    data: dict[str, float] | None = None


def _happenings(job: Job, timeline: Timeline) -> list[_Happening]:
    """Everything that happens to a job of its own accord, oldest first."""
    files = f"Validating training file: {job.training_file}"
    if job.validation_file:
        files += f" and validation file: {job.validation_file}"
    story = [_Happening(0, f"Created fine-tuning job: {job.id}"), _Happening(0, files)]
    queued, running = timeline.starts("queued"), timeline.starts("running")
    if job.failure:
        return [*story, _Happening(queued, job.failure.message, "error")]
    story.append(_Happening(queued, "Files validated, moving job to queued state"))
    story.append(_Happening(running, "Fine-tuning job started"))
    total = total_steps(job)
    for step in range(1, total + 1):
        row = metrics(job, step)
        says = f"Step {step}/{total}: training loss={row['train_loss']:.2f}"
        if "valid_loss" in row:
            says += f", validation loss={row['valid_loss']:.2f}"
        if "full_valid_loss" in row:
            says += f", full validation loss={row['full_valid_loss']:.2f}"
        story.append(_Happening(running + timeline.lasts("running") * step / total, says, data=row))
    end = timeline.seconds
    for step, name in _checkpoints(job)[:-1]:
        story.append(_Happening(end, f"Checkpoint created at step {step} with Snapshot ID: {name}"))
    story.append(_Happening(end, f"New fine-tuned model created: {model_name(job)}"))
    return [*story, _Happening(end, "The job has successfully completed")]


def events(job: Job, now: float, timeline: Timeline) -> list[dict[str, Any]]:
    """The ``fine_tuning.job.event`` objects up to now, newest first."""
    elapsed = job.watch.elapsed(now)
    happened = [each for each in _happenings(job, timeline) if each.at <= elapsed]
    # min: rounding must not put the last event before a stop behind it.
    told = [(min(now, job.watch.moment(each.at)), each) for each in happened]
    told += [(at, _Happening(0, message)) for at, message in job.notes]
    told.sort(key=lambda pair: pair[0])
    rows = [
        {
            "object": "fine_tuning.job.event",
            "id": _stable_id("ftevent-", job, f"{number}/{each.message}"),
            "created_at": int(at),
            "level": each.level,
            "message": each.message,
            "data": each.data or {},
            "type": "metrics" if each.data else "message",
        }
        for number, (at, each) in enumerate(told)
    ]
    return rows[::-1]


def _stable_id(prefix: str, job: Job, key: str) -> str:
    return prefix + hashlib.sha256(f"{job.id}/{key}".encode()).hexdigest()[:24]


def _checkpoints(job: Job) -> list[tuple[int, str]]:
    """Step and name of the last epochs' checkpoints, oldest first; the last is the model."""
    per_epoch, epochs = _epoch_steps(job), int(resolved(job)["n_epochs"])
    steps = [per_epoch * epoch for epoch in range(1, epochs + 1)][-KEPT_CHECKPOINTS:]
    names = [
        _snapshot(job, model_id, step)
        for model_id, step in zip(job.model_ids, steps[:-1], strict=False)
    ]
    return list(zip(steps, [*names, model_name(job)], strict=True))


def model_names(job: Job) -> list[str]:
    """Every name that a finished job can be asked under."""
    return [name for _, name in _checkpoints(job)]


def checkpoints(job: Job, now: float, timeline: Timeline) -> list[dict[str, Any]]:
    """The ``fine_tuning.job.checkpoint`` objects, newest first; none before the job succeeded."""
    if status(job, now, timeline) != "succeeded":
        return []
    rows = [
        {
            "object": "fine_tuning.job.checkpoint",
            "id": _stable_id("ftckpt_", job, str(step)),
            "created_at": int(min(now, job.watch.moment(timeline.seconds))),
            "fine_tuned_model_checkpoint": name,
            "fine_tuning_job_id": job.id,
            "metrics": {k: v for k, v in metrics(job, step).items() if k != "total_steps"},
            "step_number": step,
        }
        for step, name in _checkpoints(job)
    ]
    return rows[::-1]


def results_file(job: Job, now: float, timeline: Timeline) -> StoredFile:
    """The table of metrics that a finished job leaves: CSV, in base64 as the vendor serves it."""
    lines = ["step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"]
    for step in range(1, total_steps(job) + 1):
        row = metrics(job, step)
        names = ("train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy")
        cells = [row["train_loss"], *(row.get(name, "") for name in names)]
        lines.append(",".join(str(cell) for cell in (step, *cells)))
    content = base64.b64encode("\n".join([*lines, ""]).encode())
    created = min(now, job.watch.moment(timeline.seconds))
    return StoredFile(job.result_file, "step_metrics.csv", "fine-tune-results", content, created)
