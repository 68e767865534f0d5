"""Fireworks' settings in one place: address, account, and every ``--option`` with its reader.

Sources: ``fireworks-ai`` 1.2.30 (create parameters of the three kinds of job), and
docs.fireworks.ai/fine-tuning/parameter-tuning and .../fine-tuning-models (read 2026-11-25), whose
deprecated parameters (``jinja_template``, ``early_stop``, ...) are not offered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import Method

VENDOR_URL = "https://api.fireworks.ai"
KEY = "FIREWORKS_API_KEY"
GPUS = ("h100", "h200", "b200", "b300", "gb300")
"""The tiers of ``hosting_hour`` in ``prices.toml``."""

Place = Literal["job", "training", "loss", "rollout"]
"""Where an option stands in the request; supervised jobs carry their training settings flat."""


class Option(NamedTuple):
    """One option of a job: the SDK's name for it, its place, its reader, and who takes it."""

    argument: str
    place: Place
    read: Callable[[str, str], Any]
    methods: frozenset[Method]


def whole(name: str, text: str) -> int:
    """A whole number above 0."""
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"option {name}: `{text}` is no whole number above 0", where=name)
    return int(text)


def number(name: str, text: str) -> float:
    """A number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"option {name}: `{text}` is no number of 0 or more", where=name)
    return value


def flag(name: str, text: str) -> bool:
    """``true`` or ``false``."""
    if text not in ("true", "false"):
        raise UsageError(f"option {name}: `{text}` is neither true nor false", where=name)
    return text == "true"


def word(name: str, text: str) -> str:
    """Any text but an empty one."""
    if not text:
        raise UsageError(f"option {name} is empty", where=name)
    return text


def loss(name: str, text: str) -> str:
    """A loss by its name in either case; which one goes with the method is the vendor's check."""
    return word(name, text).upper()


_ALL, _RL = frozenset(Method), frozenset({Method.RL})
JOB_OPTIONS = {
    "warm_start_from": Option("warm_start_from", "training", word, _ALL),
    "max_context_length": Option("max_context_length", "training", whole, _ALL),
    "learning_rate_warmup_steps": Option("learning_rate_warmup_steps", "training", whole, _ALL),
    "region": Option("region", "training", word, _ALL),
    "eval_auto_carveout": Option(
        "eval_auto_carveout", "job", flag, frozenset({Method.SFT, Method.RL})
    ),
    "loss_method": Option("method", "loss", loss, frozenset({Method.DPO, Method.RL})),
    "kl_beta": Option("kl_beta", "loss", number, _RL),
    "evaluator": Option("evaluator", "job", word, _RL),
    "batch_tokens": Option("batch_size", "training", whole, _RL),
    "chunk_size": Option("chunk_size", "job", whole, _RL),
    "node_count": Option("node_count", "job", whole, _RL),
    "max_concurrent_rollouts": Option("max_concurrent_rollouts", "job", whole, _RL),
    "max_concurrent_evaluations": Option("max_concurrent_evaluations", "job", whole, _RL),
    "response_candidates_count": Option("response_candidates_count", "rollout", whole, _RL),
    "max_output_tokens": Option("max_output_tokens", "rollout", whole, _RL),
    "temperature": Option("temperature", "rollout", number, _RL),
    "top_p": Option("top_p", "rollout", number, _RL),
    "top_k": Option("top_k", "rollout", whole, _RL),
}
"""What goes into a create request."""

PLACE_OPTIONS = frozenset({
    "account_id", "hosting_hours", "gpu", "gpus", "deployment", "deployment_shape",
    "deploy_seconds",
})  # fmt: skip
"""What says where jobs run and how a model is served."""


def job_options(options: Mapping[str, str], method: Method) -> list[tuple[Option, Any]]:
    """The options of a job with their values read.

    Raises:
        UsageError: an unknown option, one that the method does not take, or a bad value.
    """
    takes = {name for name, option in JOB_OPTIONS.items() if method in option.methods}
    if unknown := sorted(options.keys() - takes - PLACE_OPTIONS):
        raise UsageError(
            f"fireworks takes no option {', '.join(unknown)} for {method}",
            hint=f"it takes: {', '.join(sorted(takes | PLACE_OPTIONS))}",
            where="option",
        )
    return [
        (JOB_OPTIONS[name], JOB_OPTIONS[name].read(name, text))
        for name, text in options.items()
        if name in takes
    ]


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else ``FIREWORKS_BASE_URL``, else the vendor's own."""
    return options.get("base_url") or os.environ.get("FIREWORKS_BASE_URL") or VENDOR_URL


def root(options: Mapping[str, str]) -> str:
    """The address without a trailing ``/v1``: the SDK's paths carry it."""
    return endpoint(options).rstrip("/").removesuffix("/v1")


def at_vendor(options: Mapping[str, str]) -> bool:
    """Whether the host is one of fireworks.ai."""
    host = urlsplit(endpoint(options)).hostname or ""
    return host == "fireworks.ai" or host.endswith(".fireworks.ai")


def account_id(options: Mapping[str, str]) -> str:
    """Option ``account_id``, else ``FIREWORKS_ACCOUNT_ID``; empty where neither is set.

    It does not follow from the key, and every route of the control plane wants it.
    """
    return options.get("account_id") or os.environ.get("FIREWORKS_ACCOUNT_ID") or ""


def gpu(options: Mapping[str, str]) -> str:
    """Option ``gpu``: what a deployment is priced by."""
    chosen = options.get("gpu", "h100").lower()
    if chosen not in GPUS:
        raise UsageError(
            f"option gpu: `{chosen}` is none of {', '.join(GPUS)}", hint="choose one", where="gpu"
        )
    return chosen
