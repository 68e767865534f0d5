"""Fireworks' three kinds of job: requests and answers. Nothing here opens a connection.

From the types of ``fireworks-ai`` 1.2.30 (read 2026-11-25). Supervised jobs carry their settings
flat, the others in ``training_config``. A batch is ``batch_size_samples`` (rows); ``batch_size``
there is a budget of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.jobs.states import State
from ftbridge.provider import RemoteJob, RemoteMetric
from ftbridge_fireworks.settings import job_options

STATES = {
    "JOB_STATE_CREATING": State.QUEUED,
    "JOB_STATE_CREATING_INPUT_DATASET": State.VALIDATING,
    "JOB_STATE_VALIDATING": State.VALIDATING,
    "JOB_STATE_PENDING": State.QUEUED,
    "JOB_STATE_RE_QUEUEING": State.QUEUED,
    "JOB_STATE_RUNNING": State.RUNNING,
    "JOB_STATE_IDLE": State.RUNNING,
    "JOB_STATE_WRITING_RESULTS": State.RUNNING,
    "JOB_STATE_CANCELLING": State.RUNNING,
    "JOB_STATE_PAUSED": State.PAUSED,
    "JOB_STATE_COMPLETED": State.SUCCEEDED,
    "JOB_STATE_EARLY_STOPPED": State.SUCCEEDED,
    "JOB_STATE_FAILED": State.FAILED,
    "JOB_STATE_EXPIRED": State.FAILED,
    "JOB_STATE_CANCELLED": State.CANCELLED,
    "JOB_STATE_DELETING": State.CANCELLED,
    "JOB_STATE_DELETING_CLEANING_UP": State.CANCELLED,
}
"""All of the SDK's eighteen words but JOB_STATE_UNSPECIFIED, which says nothing."""

UNSPECIFIED = "JOB_STATE_UNSPECIFIED"
HYPERPARAMETERS = {
    "n_epochs": "epochs",
    "batch_size": "batch_size_samples",
    "learning_rate": "learning_rate",
    "lora_r": "lora_rank",
    "weight_decay": "optimizer_weight_decay",
}
"""Neutral name -> the SDK's. ``beta`` has a place of its own."""


class Kind(NamedTuple):
    """One kind of job: its list in resource names and routes, the SDK's name of the resource, and
    the argument in which the client chooses the job's id."""

    list: str
    resource: str
    id: str


KINDS = {
    Method.SFT: Kind(
        "supervisedFineTuningJobs",
        "supervised_fine_tuning_jobs",
        "supervised_fine_tuning_job_id",
    ),
    Method.DPO: Kind("dpoJobs", "dpo_jobs", "dpo_job_id"),
    Method.RL: Kind(
        "reinforcementFineTuningJobs",
        "reinforcement_fine_tuning_jobs",
        "reinforcement_fine_tuning_job_id",
    ),
}


def kind_of(remote_id: str) -> Kind:
    """The kind of a job by its resource name.

    Raises:
        UsageError: where it is no name of a job.
    """
    for kind in KINDS.values():
        if f"/{kind.list}/" in remote_id:
            return kind
    lists = ", ".join(kind.list for kind in KINDS.values())
    raise UsageError(
        f"`{remote_id}` is no job of Fireworks",
        hint=f"a job is named accounts/ACCOUNT/KIND/ID, where KIND is one of {lists}",
        where="remote_id",
    )


def is_id(text: str, longest: int) -> bool:
    """Whether it can stand at the beginning of an id (AIP-122, which the vendor's look like)."""
    return len(text) <= longest and re.fullmatch(r"[a-z][a-z0-9-]*", text) is not None


def short(name: str) -> str:
    """The id at the end of a resource name."""
    return name.rpartition("/")[2]


def create_request(
    spec: JobSpec, account: str, training: str, validation: str | None, key: str
) -> dict[str, Any]:
    """The SDK's arguments for a create, the key as the job's id; what was not asked for is left
    out, but for the method of a DPO job's loss, whose default the SDK tells in two ways."""
    kind = KINDS[spec.method]
    records: dict[str, dict[str, Any]] = {"job": {}, "training": {}, "loss": {}, "rollout": {}}
    records["training"] = {"base_model": spec.model, **_hyperparameters(spec)}
    if spec.suffix is not None:
        records["training"]["output_model"] = f"{spec.suffix}-{key[-8:]}"
    if spec.method is Method.DPO:
        records["loss"]["method"] = "DPO"
        if spec.hyperparameters.beta is not None:
            records["loss"]["dpo"] = {"beta": spec.hyperparameters.beta}
    for option, value in job_options(spec.options, spec.method):
        records[option.place][option.argument] = value
    if "warm_start_from" in records["training"]:
        del records["training"]["base_model"]  # exactly one of the two
    if validation is not None:
        records["job"]["evaluation_dataset"] = validation
    if "evaluator" in records["job"]:
        records["job"]["evaluator"] = _evaluator(records["job"]["evaluator"], account)
    return {kind.id: key, "dataset": training, **records["job"], **_nested(spec.method, records)}


def _nested(method: Method, records: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if method is Method.SFT:
        return records["training"]
    places = {
        "training_config": "training", "loss_config": "loss", "inference_parameters": "rollout",
    }  # fmt: skip
    return {name: records[place] for name, place in places.items() if records[place]}


def _hyperparameters(spec: JobSpec) -> dict[str, Any]:
    given = spec.hyperparameters.given()
    rank = given.get("lora_r", 8)
    if rank & (rank - 1):
        raise UsageError(
            f"lora_r {rank} is no power of two", hint="4, 8, 16 or 32", where="lora_r",
            code="out_of_range",
        )  # fmt: skip
    return {HYPERPARAMETERS[name]: given[name] for name in HYPERPARAMETERS if name in given}


def _evaluator(name: str, account: str) -> str:
    return name if name.startswith("accounts/") else f"accounts/{account}/evaluators/{name}"


def job(data: Mapping[str, Any]) -> RemoteJob:
    """A job object. An unlisted state is ``unknown``, with its own word kept.

    ``trained_tokens`` is what a finished supervised job says it has read (``input_tokens``): that
    it is what is billed is unverified.
    """
    name = str(data["name"])
    raw = str(data.get("state") or UNSPECIFIED)
    state = STATES.get(raw, State.UNKNOWN)
    flat = f"/{KINDS[Method.SFT].list}/" in name
    settings = data if flat else data.get("trainingConfig") or {}
    progress = data.get("jobProgress") or {}
    done = state is State.SUCCEEDED
    percent = progress.get("percent")
    read = progress.get("inputTokens") if done and flat else None
    seconds = data.get("acceleratorSeconds") or {}
    return RemoteJob(
        id=name,
        state=state,
        raw_state=raw,
        stopping=raw == "JOB_STATE_CANCELLING",
        model=settings.get("outputModel") if done else None,
        error=_error(data.get("status") or {}, raw) if state is State.FAILED else None,
        created_at=data.get("createTime"),
        finished_at=data.get("completedTime"),
        trained_tokens=None if read is None else int(read),
        progress=None if percent is None else percent / 100,
        n_epochs=settings.get("epochs"),
        estimated_usd=_usd(data.get("estimatedCost")),
        # Of one kind of GPU: seconds of two kinds have two prices.
        billed_seconds=Decimal(next(iter(seconds.values()))) if len(seconds) == 1 else None,
        details={"accelerator_seconds": seconds} if seconds else {},
    )


def _error(status: Mapping[str, Any], raw: str) -> dict[str, str]:
    said = status.get("message") or f"Fireworks says {raw} and gives no reason"
    return {"code": str(status.get("code") or raw), "message": str(said)}


def _usd(cost: Mapping[str, Any] | None) -> Decimal | None:
    """``{currencyCode, units, nanos}`` in USD; None where it is not there or in another money."""
    if not cost or cost.get("currencyCode") != "USD":
        return None
    return Decimal(cost.get("units") or "0") + Decimal(cost.get("nanos") or 0) / 1_000_000_000


def metrics(rows: list[Any]) -> list[RemoteMetric]:
    """The lines of a metrics file; the names of its fields are unverified.

    A line without ``step`` counts as the step of its number.
    """
    found = []
    for number, row in enumerate(rows, start=1):
        step = row.get("step", number)
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float) and not isinstance(value, bool):
                found.append(RemoteMetric(int(step), name, float(value)))
    return found
