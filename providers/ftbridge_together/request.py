"""The body of POST /v1/fine-tunes, made by hand from what was asked for and nothing else.

``fine_tuning.create()`` of ``together`` 3.1.1 is not used: it asks for limits and a price each
time, and fills in every default (n_epochs 1, learning_rate 1e-5, packing, cosine...), so that
nobody could leave one to the vendor. Field names: ``FinetuneRequest`` of that SDK, and
togethercomputer/openapi, openapi.yaml of 2026-04-28 (both read 2026-11-25).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import Adapter, JobSpec, Method

MAX_SUFFIX = 40
"""Characters of ``suffix`` (docstring of ``fine_tuning.create`` in ``together`` 3.1.1)."""
HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate", "warmup_ratio", "weight_decay")
"""Neutral names that are the wire's own, at the top of the body."""
LORA = ("lora_r", "lora_alpha", "lora_dropout")


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _masking(text: str) -> bool | str:
    return text if text == "auto" else _flag(text)


def _schedule(text: str) -> str:
    return {"linear": "linear", "cosine": "cosine"}[text]


Parser = Callable[[str], Any]
TOP: Mapping[str, Parser] = {
    "packing": _flag,
    "max_seq_length": int,
    "n_evals": int,
    "n_checkpoints": int,
    "gradient_accumulation_steps": int,
    "max_grad_norm": float,
    "early_stopping_enabled": _flag,
    "early_stopping_patience": int,
    "early_stopping_min_delta": float,
    "early_stopping_warmup_evals": int,
    "from_hf_model": str,
    "hf_model_revision": str,
    "hf_output_repo_name": str,
}
"""Options that are fields of the body under the same name."""
METHODS: Mapping[Method, Mapping[str, Parser]] = {
    Method.SFT: {"train_on_inputs": _masking},
    Method.DPO: {
        "dpo_normalize_logratios_by_length": _flag,
        "dpo_reference_free": _flag,
        "rpo_alpha": float,
        "simpo_gamma": float,
    },
}
SCHEDULE: Mapping[str, Parser] = {
    "lr_scheduler_type": _schedule,
    "min_lr_ratio": float,
    "scheduler_num_cycles": float,
}
PARSERS: Mapping[str, Parser] = {
    **TOP, **METHODS[Method.SFT], **METHODS[Method.DPO], **SCHEDULE,
    "from_checkpoint": str, "lora_trainable_modules": str, "train_vision": _flag, "endpoint": str,
}  # fmt: skip
"""Every option; ``endpoint`` is for chats and is not sent."""


def create_body(spec: JobSpec, training: str, validation: str | None, key: str) -> dict[str, Any]:
    """The create request; what was not asked for is left out.

    A LoRA of which only ``lora_alpha`` or ``lora_dropout`` is set still lacks its rank, which the
    wire wants: :func:`ftbridge_together.limits.complete` fills it in before the call.

    Raises:
        UsageError: for what Together does not take, or does not take together.
    """
    options = _parsed(spec)
    given = spec.hyperparameters.given()
    body: dict[str, Any] = {"training_file": training, "suffix": suffix(spec.suffix, key)}
    if validation is not None:
        body["validation_file"] = validation
    if "from_checkpoint" in options:  # the SDK: a model or a checkpoint, never both
        body["from_checkpoint"] = options["from_checkpoint"]
    else:
        body["model"] = spec.model
    body |= {name: given[name] for name in HYPERPARAMETERS if name in given}
    if spec.seed is not None:
        body["random_seed"] = spec.seed
    body |= {name: options[name] for name in TOP if name in options}
    if "train_vision" in options:
        body["multimodal_params"] = {"train_vision": options["train_vision"]}
    parts = {
        "training_type": _training_type(spec, options),
        "training_method": _training_method(spec, options),
        "lr_scheduler": _scheduler(options),
    }
    return body | {name: part for name, part in parts.items() if part}


def suffix(wished: str | None, key: str) -> str:
    """The suffix that carries the key's mark behind the user's own.

    It is the only free text that Together is known to keep (``suffix`` of the job, and a part of
    ``model_output_name``); the whole key would leave a person three characters.
    """
    made = f"{wished}-{mark(key)}" if wished else mark(key)
    if len(made) > MAX_SUFFIX:
        room = MAX_SUFFIX - len(mark(key)) - 1
        raise UsageError(
            f"the suffix is longer than {room} characters",
            hint=f"Together takes {MAX_SUFFIX}; the rest is the mark by which a job is found again",
            where="suffix",
        )
    return made


def mark(key: str) -> str:
    """60 bits of the key's hash as ``ftb`` and twelve of ``a-z2-7``: fit for a model's name."""
    digest = hashlib.sha256(key.encode()).digest()
    return "ftb" + base64.b32encode(digest).decode().lower()[:12]


def _parsed(spec: JobSpec) -> dict[str, Any]:
    other = METHODS[Method.DPO if spec.method is Method.SFT else Method.SFT]
    unknown = sorted(name for name in spec.options if name not in PARSERS or name in other)
    if unknown:
        takes = ", ".join(sorted(PARSERS.keys() - other.keys()))
        raise UsageError(
            f"together takes no option {', '.join(unknown)} for {spec.method}",
            hint=f"it takes: {takes}",
            where="option",
        )
    return {name: _value(name, text) for name, text in spec.options.items()}


def _value(name: str, text: str) -> Any:
    try:
        return PARSERS[name](text)
    except (ValueError, KeyError):
        kinds = {
            int: "a whole number", float: "a number", _flag: "true or false",
            _masking: "true, false or auto", _schedule: "linear or cosine",
        }  # fmt: skip
        raise UsageError(
            f"option {name}: `{text}` is not {kinds[PARSERS[name]]}", where=name
        ) from None


def _training_type(spec: JobSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    """Left out for a plain LoRA, which is the vendor's default, or what the checkpoint has."""
    given = spec.hyperparameters.given()
    lora = {name: given[name] for name in LORA if name in given}
    if "lora_trainable_modules" in options:
        lora["lora_trainable_modules"] = options["lora_trainable_modules"]
    if spec.adapter is Adapter.FULL:
        if lora:
            raise UsageError(
                f"full training has no {', '.join(lora)}",
                hint="leave it out, or use --adapter lora",
                where=next(iter(lora)),
            )
        return {"type": "Full"}
    if not lora:
        return {}
    if "lora_alpha" in lora:
        if lora["lora_alpha"] != int(lora["lora_alpha"]):
            raise UsageError("together takes a whole number as lora_alpha", where="lora_alpha")
        lora["lora_alpha"] = int(lora["lora_alpha"])
    return {"type": "Lora"} | lora


def _training_method(spec: JobSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    """Left out for SFT with the vendor's own masking."""
    settings = {name: options[name] for name in METHODS[spec.method] if name in options}
    if spec.method is Method.SFT:
        return {"method": "sft"} | settings if settings else {}
    beta = spec.hyperparameters.beta
    if beta is not None:
        settings["dpo_beta"] = beta
    if settings.get("simpo_gamma", 0) > 0:  # what the SDK makes of it: SimPO has no reference
        settings |= {"dpo_reference_free": True, "dpo_normalize_logratios_by_length": True}
    return {"method": "dpo"} | settings


def _scheduler(options: Mapping[str, Any]) -> dict[str, Any]:
    kind = options.get("lr_scheduler_type")
    names = {"min_lr_ratio": "min_lr_ratio", "scheduler_num_cycles": "num_cycles"}
    args = {wire: options[name] for name, wire in names.items() if name in options}
    if kind is None:
        if args:
            raise UsageError(
                "the scheduler's settings need option lr_scheduler_type",
                hint="--option lr_scheduler_type=cosine, or linear",
                where="lr_scheduler_type",
            )
        return {}
    wants = {"cosine": {"min_lr_ratio", "num_cycles"}, "linear": {"min_lr_ratio"}}[kind]
    if args and args.keys() != wants:
        raise UsageError(
            "cosine wants both min_lr_ratio and scheduler_num_cycles, linear min_lr_ratio alone",
            hint="give these, or none of them",
            where="lr_scheduler_type",
        )
    return {"lr_scheduler_type": kind} | ({"lr_scheduler_args": args} if args else {})
