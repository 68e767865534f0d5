"""The keys of `recipe.json`: which there are, and what each may hold. Standard library only."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import TrainerError

SCHEMA = 1
NEW_TOKENS = 256
"""How long an answer may be that a grader scores, unless the recipe says more or less."""
# Where a run waits, what it may fetch and how many processes its caller starts change nothing
# in what it computes.
NOT_HASHED = frozenset({"device_lock", "offline", "workers", "engine"})


@dataclass(frozen=True)
class Key:
    """One key: whether a value is allowed, and the sentence that says which are."""

    allowed: Callable[[Any], bool]
    wants: str
    required: bool = False


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(required: bool = False) -> Key:
    return Key(lambda v: isinstance(v, str) and v != "", "a non-empty string", required)


def _count(least: int) -> Key:
    return Key(lambda v: _is_int(v) and v >= least, f"a whole number, {least} or more")


def _number(low: float, high: float = math.inf, open_low: bool = False) -> Key:
    def allowed(value: Any) -> bool:
        return _is_number(value) and low <= value <= high and not (open_low and value == low)

    bound = f"above {low:g}" if open_low else f"{low:g} or more"
    return Key(allowed, f"a number, {bound}" + ("" if high == math.inf else f", at most {high:g}"))


def _one_of(*choices: Any) -> Key:
    words = ", ".join(json.dumps(choice) for choice in choices)
    return Key(lambda v: any(v is c or (isinstance(v, str) and v == c) for c in choices), words)


def _is_modules(value: Any) -> bool:
    return value == "all-linear" or (
        isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)
    )


_FLAG = Key(lambda v: isinstance(v, bool), "true or false")
_SWITCH = _one_of("auto", True, False)

KEYS: dict[str, Key] = {
    "schema": Key(lambda v: _is_int(v) and v == SCHEMA, str(SCHEMA), required=True),
    "model": _text(required=True),
    "train": _text(required=True),
    "validation": _text(),
    "method": _one_of("sft", "dpo", "rl"),
    "adapter": _one_of("qlora", "lora", "full"),
    "n_epochs": _count(1),
    "batch_size": _count(1),
    "micro_batch_size": _count(1),
    "max_length": _count(2),
    "learning_rate": _number(0, open_low=True),
    "lr_scheduler": _one_of("cosine", "linear", "constant"),
    "warmup_ratio": _number(0, 1),
    "weight_decay": _number(0),
    "max_grad_norm": _number(0, open_low=True),
    "lora_r": _count(1),
    "lora_alpha": _number(0, open_low=True),
    "lora_dropout": _number(0, 0.99),
    "target_modules": Key(_is_modules, '"all-linear" or a list of module names'),
    "double_quant": _FLAG,
    "beta": _number(0, open_low=True),
    "grader": Key(lambda v: isinstance(v, dict) and "type" in v, "a grader with its type"),
    "group_size": _count(2),
    "max_new_tokens": _count(1),
    "temperature": _number(0, open_low=True),
    "seed": _count(0),
    "packing": _SWITCH,
    "compute_dtype": _one_of("auto", "bf16", "fp32"),
    "gradient_checkpointing": _SWITCH,
    "checkpoint_steps": _count(1),
    "eval_steps": _count(1),
    "keep_checkpoints": _count(1),
    "threads": _count(1),
    "device": _one_of("auto", "cpu", "cuda"),
    "workers": _count(1),
    "engine": _one_of("torchrun", "ray"),
    "device_lock": _text(),
    "offline": _FLAG,
}


def read(file: Path) -> dict[str, Any]:
    """Load and validate a recipe file; `null` means "not given"."""
    try:
        raw = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise TrainerError(
            "recipe_missing", f"cannot read {file}", "write recipe.json into the run directory"
        ) from error
    except ValueError as error:
        raise TrainerError("recipe_invalid", f"{file}: {error}", "make it valid JSON") from error
    return validate(raw)


def validate(raw: Any) -> dict[str, Any]:
    """Return the given keys; every problem is named in one error, not only the first."""
    if not isinstance(raw, dict):
        raise TrainerError("recipe_invalid", "the recipe is not a JSON object", "see README.md")
    unknown = sorted(set(raw) - set(KEYS))
    if unknown:
        raise TrainerError(
            "recipe_unknown_key",
            f"unknown recipe key{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}",
            f"known keys: {', '.join(KEYS)}",
        )
    given = {key: value for key, value in raw.items() if value is not None}
    problems = [f"{k} is missing" for k, key in KEYS.items() if key.required and k not in given]
    problems += [
        f"{name} must be {KEYS[name].wants}, not {json.dumps(value)[:60]}"
        for name, value in given.items()
        if not KEYS[name].allowed(value)
    ]
    if problems:
        raise TrainerError("recipe_invalid", "; ".join(problems), "correct recipe.json")
    return given


def fingerprint(given: dict[str, Any]) -> str:
    """SHA-256 over everything in a recipe that can change the result."""
    relevant = {key: value for key, value in given.items() if key not in NOT_HASHED}
    text = json.dumps(relevant, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
