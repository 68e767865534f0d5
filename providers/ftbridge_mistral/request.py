"""The body of POST /v1/fine_tuning/jobs, for completion and classifier jobs.

Names and bounds: JobIn of mistralai/platform-docs-public, openapi.yaml of 2026-07-15, the last that
names these routes, and ``mistralai`` 2.4.13, the last SDK with them (both read 2026-11-25). What a
classifier is made of: classifier_factory.md there, marked deprecated.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec

HYPERPARAMETERS = {
    "n_epochs": "epochs",
    "learning_rate": "learning_rate",
    "warmup_ratio": "warmup_fraction",
    "weight_decay": "weight_decay",
}
"""Neutral name -> Mistral's. ``epochs`` is a float there."""
CLASSIFIERS = ("ministral-3b-latest",)
"""The models that classifier jobs may start from."""
MAX_SUFFIX = 18
TARGET = "label"
"""What the one target of a classifier is called where option ``classifier_target`` is not set."""
JobType = Literal["completion", "classifier"]


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 0.5:
        raise ValueError(text)
    return value


NUMBERS: Mapping[str, Callable[[str], float]] = {
    "training_steps": int, "seq_len": int, "fim_ratio": float,
}  # fmt: skip
"""Options that are hyperparameters there; a classifier has no ``fim_ratio``."""
OPTIONS = frozenset(
    {*NUMBERS, "auto_start", "invalid_sample_skip_percentage", "job_type", "classifier_target"}
)


def job_type(options: Mapping[str, str]) -> JobType:
    """Option ``job_type``. Raises UsageError for any other word."""
    found = options.get("job_type", "completion")
    if found == "classifier":
        return "classifier"
    if found == "completion":
        return "completion"
    raise UsageError(
        f"option job_type: `{found}` is neither completion nor classifier", where="job_type"
    )


def create_body(spec: JobSpec, training: str, validation: str | None, key: str) -> dict[str, Any]:
    """The create request; what was not asked for is left out.

    ``auto_start`` is always said: the vendor's default is to wait after validation. Targets of a
    classifier are not: the vendor's own example leaves them to the labels of the data.

    Raises:
        UsageError: for what Mistral does not take.
    """
    kind = job_type(spec.options)
    _require_taken(spec, kind)
    given = spec.hyperparameters.given()
    settings: dict[str, Any] = {HYPERPARAMETERS[n]: given[n] for n in HYPERPARAMETERS if n in given}
    for name, parse in NUMBERS.items():
        if name in spec.options:
            settings[name] = _value(name, spec.options[name], parse, "a number")
    start = spec.options.get("auto_start", "true")
    body: dict[str, Any] = {
        "model": spec.model,
        "job_type": kind,
        "training_files": [{"file_id": training, "weight": 1}],
        "hyperparameters": settings,
        "auto_start": _value("auto_start", start, _flag, "true or false"),
        "suffix": suffix(spec.suffix, key),
    }
    skip = "invalid_sample_skip_percentage"
    if skip in spec.options:
        body[skip] = _value(skip, spec.options[skip], _share, "a number from 0 to 0.5")
    if validation is not None:
        body["validation_files"] = [validation]
    return body


def suffix(wished: str | None, key: str) -> str:
    """The key's mark behind the user's own suffix: a job has no other free text."""
    made = f"{wished}-{mark(key)}" if wished else mark(key)
    if len(made) > MAX_SUFFIX:
        raise UsageError(
            f"the suffix is longer than {MAX_SUFFIX - len(mark(key)) - 1} characters",
            hint=f"Mistral takes {MAX_SUFFIX}; the rest is the mark by which a job is found again",
            where="suffix",
        )
    return made


def mark(key: str) -> str:
    """40 bits of the key's hash as eight of ``a-z2-7``: Mistral's suffix has no room for more."""
    digest = hashlib.sha256(key.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:8]


def _require_taken(spec: JobSpec, kind: JobType) -> None:
    barred = {"fim_ratio"} if kind == "classifier" else {"classifier_target"}
    takes = OPTIONS - barred
    if unknown := sorted(spec.options.keys() - takes):
        raise UsageError(
            f"mistral takes no option {', '.join(unknown)} for a {kind} job",
            hint=f"it takes: {', '.join(sorted(takes))}",
            where="option",
        )
    if spec.seed is not None:
        raise UsageError("mistral takes no seed", hint="leave --seed out", where="seed")
    if kind == "classifier" and spec.model not in CLASSIFIERS:
        raise UsageError(
            f"mistral makes no classifier from {spec.model}",
            hint=f"use --model {CLASSIFIERS[0]}",
            where="model",
        )


def _value(name: str, text: str, parse: Callable[[str], Any], wanted: str) -> Any:
    try:
        return parse(text)
    except (ValueError, KeyError):
        raise UsageError(f"option {name}: `{text}` is not {wanted}", where=name) from None
