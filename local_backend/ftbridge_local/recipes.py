"""From a spec to the trainer's recipe, and what its defaults will be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import Privacy
from ftbridge.provider import Setting
from ftbridge_local.failures import translated

SHOWN_ELSEWHERE = frozenset({"train", "model", "method", "adapter"})

RECIPE_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "max_length": int,
    "micro_batch_size": int,
    "lr_scheduler": str,
    "max_grad_norm": float,
    "packing": lambda text: {"true": True, "false": False}.get(text, text),
    "compute_dtype": str,
    "gradient_checkpointing": lambda text: {"true": True, "false": False}.get(text, text),
    "checkpoint_steps": int,
    "eval_steps": int,
    "keep_checkpoints": int,
    "threads": int,
    "workers": int,
    "device": str,
}
"""``--option`` names that go into the recipe as they are; see the trainer's README."""


def recipe_of(spec: JobSpec, training: str, validation: str | None) -> dict[str, Any]:
    """The recipe; what was not asked for is left to the trainer.

    Raises:
        UsageError: for an option that is none of ``RECIPE_OPTIONS``.
    """
    recipe: dict[str, Any] = {
        "schema": 1,
        "model": spec.model,
        "train": training,
        "method": str(spec.method),
        "adapter": str(spec.adapter),
        **spec.hyperparameters.given(),
        **_options(spec.options),
    }
    if spec.privacy is Privacy.RESTRICTED:
        recipe["offline"] = True  # the trainer's default, said so that it holds for the model too
    if validation is not None:
        recipe["validation"] = validation
    if spec.seed is not None:
        recipe["seed"] = spec.seed
    return recipe


def settings_of(spec: JobSpec, n_params: int) -> dict[str, Setting]:
    """Every value of the recipe with its origin, as the trainer will resolve it."""
    from ftbridge_trainer import recipe

    with translated():
        raw = recipe_of(spec, "train.jsonl", None)
        resolved = recipe.resolve(raw, spec.training.examples, n_params)
    return {
        name: _setting(entry)
        for name, entry in resolved.as_dict().items()
        if isinstance(entry["value"], int | float | str | bool) and name not in SHOWN_ELSEWHERE
    }


def _setting(entry: Mapping[str, Any]) -> Setting:
    """What depends on the machine or the data's lengths is decided when the run starts."""
    if "provisional" in entry["origin"]:
        return Setting(None, "decided when the run starts, by memory and lengths")
    return Setting(entry["value"], entry["origin"])


def _options(options: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in options.items():
        if name == "watts":
            continue
        if name not in RECIPE_OPTIONS:
            raise UsageError(
                f"local takes no option `{name}`",
                hint=f"it takes: watts, {', '.join(RECIPE_OPTIONS)}",
                where="option",
            )
        try:
            found[name] = RECIPE_OPTIONS[name](text)
        except ValueError:
            raise UsageError(f"option {name}: `{text}` is no number", where=name) from None
    return found
