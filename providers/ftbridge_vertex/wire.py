"""Vertex' tuning jobs: requests and answers. Nothing here opens a connection.

From ``CreateTuningJobConfig`` and ``TuningJob`` of google-genai 2.34.0 (read 2026-11-25).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import Adapter, JobSpec, Method
from ftbridge.jobs.states import State
from ftbridge.provider import RemoteCheckpoint, RemoteJob
from ftbridge_vertex import rewards, settings

LABEL = "ftbridge"
"""The label that carries the key; values are 1 to 63 of a-z, 0-9, _ and -."""
ADAPTER_SIZES = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN", 32: "THIRTY_TWO"}
METHODS = {Method.DPO: "PREFERENCE_TUNING", Method.RL: "REINFORCEMENT_TUNING"}
STATES = {
    "JOB_STATE_QUEUED": State.QUEUED,
    "JOB_STATE_PENDING": State.QUEUED,
    "JOB_STATE_RUNNING": State.RUNNING,
    "JOB_STATE_UPDATING": State.RUNNING,
    "JOB_STATE_CANCELLING": State.RUNNING,
    "JOB_STATE_PAUSED": State.PAUSED,
    "JOB_STATE_SUCCEEDED": State.SUCCEEDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": State.SUCCEEDED,
    "JOB_STATE_FAILED": State.FAILED,
    "JOB_STATE_EXPIRED": State.FAILED,
    "JOB_STATE_CANCELLED": State.CANCELLED,
}
"""All of the SDK's twelve words but JOB_STATE_UNSPECIFIED, which says nothing."""
SUB_STATES = {
    "TUNING_JOB_STATE_WAITING_FOR_QUOTA": State.QUEUED,
    "TUNING_JOB_STATE_PROCESSING_DATASET": State.VALIDATING,
    "TUNING_JOB_STATE_WAITING_FOR_CAPACITY": State.QUEUED,
    "TUNING_JOB_STATE_TUNING": State.RUNNING,
    "TUNING_JOB_STATE_POST_PROCESSING": State.RUNNING,
}
"""What a running job is about; the SDK's words but TUNING_JOB_STATE_UNSPECIFIED."""
SPECS = (
    "supervised_tuning_spec", "preference_optimization_spec", "distillation_spec",
    "reinforcement_tuning_spec",
)  # fmt: skip
WEIGHTS = "postprocess/node-0/checkpoints/final"
"""Where an open model's weights lie under ``output_uri`` (Google's samples; unverified)."""
_Reader = Callable[[str, str], Any]
_OPTIONS: dict[str, tuple[str, _Reader, frozenset[Method]]] = {
    "sft_loss_weight": (
        "sft_loss_weight_multiplier", settings.number, frozenset({Method.SFT}),
    ),
    "teacher": ("base_teacher_model", lambda _, text: text, frozenset({Method.SFT})),
    "tuned_teacher": ("tuned_teacher_model_source", lambda _, text: text, frozenset({Method.SFT})),
    "last_checkpoint_only": (
        "export_last_checkpoint_only", settings.flag, frozenset({Method.SFT, Method.DPO}),
    ),
    "samples_per_prompt": ("samples_per_prompt", settings.whole, frozenset({Method.RL})),
    "evaluate_interval": ("evaluate_interval", settings.whole, frozenset({Method.RL})),
    "checkpoint_interval": ("checkpoint_interval", settings.whole, frozenset({Method.RL})),
    "max_output_tokens": ("max_output_tokens", settings.whole, frozenset({Method.RL})),
    "thinking_level": ("thinking_level", lambda _, text: text.upper(), frozenset({Method.RL})),
}  # fmt: skip
"""Option -> the SDK's name, its reader, and the methods that take it."""


def is_open(model: str) -> bool:
    """Whether a base is an open model, whose weights go to a bucket; Gemini ids have no slash."""
    return "/" in model


def create_request(
    spec: JobSpec, training: str, validation: str | None, key: str, output: str | None
) -> dict[str, Any]:
    """The arguments of ``client.tunings.tune``; what was not asked for is left out.

    Args:
        output: where an open model's weights shall go (``gs://``); None for Gemini.
    """
    config: dict[str, Any] = {"labels": {LABEL: key}, **_hyperparameters(spec), **_options(spec)}
    if spec.method in METHODS:
        config["method"] = METHODS[spec.method]
    elif {"base_teacher_model", "tuned_teacher_model_source"} & config.keys():
        config["method"] = "DISTILLATION"
    if spec.method is Method.RL and spec.grader is not None:
        config["reward_config"] = rewards.reward(spec.grader)
    if spec.suffix is not None:
        config["tuned_model_display_name"] = spec.suffix
    if validation is not None:
        if spec.method is Method.RL:
            config["validation_dataset_uri"] = validation
        else:
            config["validation_dataset"] = {"gcs_uri": validation}
    if "kms_key" in spec.options:
        config["encryption_spec"] = {"kms_key_name": spec.options["kms_key"]}
    if output is not None:
        full = spec.adapter is Adapter.FULL
        config["tuning_mode"] = "TUNING_MODE_FULL" if full else "TUNING_MODE_PEFT_ADAPTER"
        config["output_uri"] = output
    if "start_checkpoint" in spec.options:
        config["pre_tuned_model_checkpoint_id"] = spec.options["start_checkpoint"]
    base = spec.options.get("start_from", spec.model)
    return {"base_model": base, "training_dataset": {"gcs_uri": training}, "config": config}


def _hyperparameters(spec: JobSpec) -> dict[str, Any]:
    given, found = spec.hyperparameters.given(), {}
    names = {"n_epochs": "epoch_count"} | {
        name: name for name in ("learning_rate_multiplier", "beta", "batch_size")
    }
    if is_open(spec.model) and "learning_rate_multiplier" in given:
        raise UsageError(
            "vertex takes no learning_rate_multiplier for open models",
            hint="--option learning_rate=1e-4 sets their absolute rate",
            where="learning_rate_multiplier",
            code="unknown_hyperparameter",
        )
    for name, argument in names.items():
        if name in given:
            found[argument] = given[name]
    if "lora_r" in given:
        if given["lora_r"] not in ADAPTER_SIZES or spec.adapter is Adapter.FULL:
            raise UsageError(
                f"lora_r {given['lora_r']} is no adapter size of vertex here",
                hint=f"one of {', '.join(map(str, ADAPTER_SIZES))}, and none for full tuning",
                where="lora_r",
                code="out_of_range",
            )
        found["adapter_size"] = f"ADAPTER_SIZE_{ADAPTER_SIZES[given['lora_r']]}"
    return found


def _options(spec: JobSpec) -> dict[str, Any]:
    settings.require_known(spec.options)
    found: dict[str, Any] = {}
    readers: dict[str, _Reader] = {"learning_rate": settings.number, "batch_size": settings.whole}
    for name, read in readers.items():
        if name not in spec.options:
            continue
        if not is_open(spec.model):
            hint = "use --learning-rate-multiplier" if name == "learning_rate" else "leave it out"
            raise UsageError(f"option {name} is for open models", hint=hint, where=name)
        found[name] = read(name, spec.options[name])
    for name, (argument, read, methods) in _OPTIONS.items():
        if name not in spec.options:
            continue
        if spec.method not in methods:
            raise UsageError(f"option {name} is not one of {spec.method} at vertex", where=name)
        found[argument] = read(name, spec.options[name])
    return found


def job(data: Mapping[str, Any]) -> RemoteJob:
    """A job object in the SDK's field names. An unlisted word is ``unknown``, and kept.

    ``trained_tokens``: the billable tokens of the data times the epochs; the field counts the data
    set once by its description ("billable tokens in the tuning dataset"), unverified by a bill.
    """
    word = str(data.get("state") or "JOB_STATE_UNSPECIFIED")
    sub = data.get("tuning_job_state")
    state, raw = STATES.get(word, State.UNKNOWN), word
    if state is State.RUNNING and sub:
        state, raw = SUB_STATES.get(sub, State.UNKNOWN), str(sub)
    epochs, tokens = n_epochs(data), billable(data)
    done = state is State.SUCCEEDED
    tuned = data.get("tuned_model") or {}
    return RemoteJob(
        id=str(data["name"]),
        state=state,
        raw_state=raw,
        stopping=word == "JOB_STATE_CANCELLING",
        model=(tuned.get("endpoint") or data.get("output_uri")) if done else None,
        error=_error(data, word) if state is State.FAILED else None,
        created_at=data.get("create_time"),
        finished_at=data.get("end_time"),
        trained_tokens=tokens * epochs if done and tokens is not None and epochs else None,
        progress=_progress(data, epochs),
        n_epochs=epochs,
        details={"tuned_model": tuned} if tuned else {},
    )


def _error(data: Mapping[str, Any], word: str) -> dict[str, str]:
    found = data.get("error") or {}
    text = found.get("message") or f"Vertex AI says {word} and gives no reason"
    return {"code": str(found.get("code") or word), "message": str(text)}


def _spec(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((data[name] for name in SPECS if data.get(name)), {})


def n_epochs(data: Mapping[str, Any]) -> int | None:
    """The epochs that were asked for, or that a finished job has completed."""
    asked = (_spec(data).get("hyper_parameters") or {}).get("epoch_count")
    completed = (data.get("tuning_job_metadata") or {}).get("completed_epoch_count")
    over = STATES.get(str(data.get("state"))) is State.SUCCEEDED
    found = asked or (completed if over else None)
    return int(found) if found else None


def billable(data: Mapping[str, Any]) -> int | None:
    """The billable tokens of the data set, whichever method's statistics hold them."""
    for stats in (data.get("tuning_data_stats") or {}).values():
        counts = (stats or {}).get("training_dataset_stats") or stats or {}
        if counts.get("total_billable_token_count") is not None:
            return int(counts["total_billable_token_count"])
    return None


def _progress(data: Mapping[str, Any], epochs: int | None) -> float | None:
    completed = (data.get("tuning_job_metadata") or {}).get("completed_epoch_count")
    if not epochs or completed is None:
        return None
    return min(1.0, int(completed) / epochs)


def checkpoints(data: Mapping[str, Any]) -> list[RemoteCheckpoint]:
    """The checkpoints of a finished job, each with an endpoint of its own."""
    rows = (data.get("tuned_model") or {}).get("checkpoints") or []
    return [
        RemoteCheckpoint(
            id=str(row["checkpoint_id"]),
            step=int(row.get("step") or row.get("epoch") or 0),
            model=row.get("endpoint"),
            created_at=data.get("end_time"),
        )
        for row in rows
    ]
