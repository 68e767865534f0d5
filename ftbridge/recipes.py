"""From a spec to the recipe of our trainer, which runs here or on a rented machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.shapes import Setting

_SWITCH = {"true": True, "false": False}

RECIPE_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "max_length": int,
    "micro_batch_size": int,
    "lr_scheduler": str,
    "max_grad_norm": float,
    "packing": lambda text: _SWITCH.get(text, text),
    "compute_dtype": str,
    "gradient_checkpointing": lambda text: _SWITCH.get(text, text),
    "checkpoint_steps": int,
    "eval_steps": int,
    "keep_checkpoints": int,
    "threads": int,
    "workers": int,
    "engine": str,
    "device": str,
    "group_size": int,
    "max_new_tokens": int,
    "temperature": float,
}
"""``--option`` names that go into the recipe as they are; see the trainer's README."""


def recipe_of(
    spec: JobSpec, training: str, validation: str | None, others: Collection[str] = ()
) -> dict[str, Any]:
    """The recipe; what was not asked for is left to the trainer.

    Args:
        training, validation: the data files, as the trainer will find them.
        others: options that the provider takes beside these.

    Raises:
        UsageError: for an option that is none of ``RECIPE_OPTIONS`` and ``others``.
    """
    recipe: dict[str, Any] = {
        "schema": 1,
        "model": spec.model,
        "train": training,
        "method": str(spec.method),
        "adapter": str(spec.adapter),
        **spec.hyperparameters.given(),
        **recipe_options(spec, others, strict=True),
    }
    if validation is not None:
        recipe["validation"] = validation
    if spec.seed is not None:
        recipe["seed"] = spec.seed
    if spec.grader is not None:
        recipe["grader"] = spec.grader.wire()
    return recipe


def recipe_options(
    spec: JobSpec, others: Collection[str] = (), *, strict: bool = False
) -> dict[str, Any]:
    """The spec's options that belong into the recipe, as values.

    Args:
        others: options that the provider takes beside these.
        strict: refuse any further ones.

    Raises:
        UsageError: for a value that is no number, or a refused option.
    """
    found: dict[str, Any] = {}
    for name, text in spec.options.items():
        if name in others or (name not in RECIPE_OPTIONS and not strict):
            continue
        if name not in RECIPE_OPTIONS:
            raise UsageError(
                f"{spec.provider} takes no option `{name}`",
                hint=f"it takes: {', '.join([*others, *RECIPE_OPTIONS])}",
                where="option",
            )
        try:
            found[name] = RECIPE_OPTIONS[name](text)
        except ValueError:
            raise UsageError(f"option {name}: `{text}` is no number", where=name) from None
    return found


SHOWN_ELSEWHERE = frozenset({"train", "model", "method", "adapter"})
"""Values of a recipe that a plan shows in other places."""


def settings_of(
    recipe: Mapping[str, Any], examples: int, n_params: int | None
) -> dict[str, Setting]:
    """Every value of a recipe with its origin, as the trainer will resolve it.

    Args:
        examples: rows of the training file.
        n_params: the model's size; None where it is not known yet.

    Raises:
        UsageError: for a recipe that cannot be.
    """
    from ftbridge_trainer.errors import TrainerError
    from ftbridge_trainer.recipe import resolve

    try:
        values = resolve(dict(recipe), examples, n_params or 0).as_dict()
    except TrainerError as error:
        raise UsageError(error.message, code=error.code, hint=error.hint) from None
    found = {
        name: _setting(entry)
        for name, entry in values.items()
        if isinstance(entry["value"], int | float | str | bool) and name not in SHOWN_ELSEWHERE
    }
    if n_params is None and found["learning_rate"].origin != "given":
        found["learning_rate"] = Setting(None, "decided when the run starts, by the model's size")
    return found


def _setting(entry: Mapping[str, Any]) -> Setting:
    """What depends on the machine or the data's lengths is decided when the run starts."""
    if "provisional" in entry["origin"]:
        return Setting(None, "decided when the run starts, by memory and lengths")
    return Setting(entry["value"], entry["origin"])
