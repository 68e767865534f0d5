"""The recipe of a run here, and what the trainer's defaults will be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge import recipes
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import Privacy
from ftbridge.provider import Setting

PATHS = frozenset({"validation", "device_lock"})
"""Where files lie on this machine, which is nobody else's affair."""
OPTIONS = ("watts", "max_disk_gb")
"""``--option`` names of this provider that are none of the recipe."""


def recipe_of(spec: JobSpec, training: str, validation: str | None) -> dict[str, Any]:
    """The recipe; restricted data's says that nothing may be fetched.

    Raises:
        UsageError: for an unknown option.
    """
    recipe = recipes.recipe_of(spec, training, validation, OPTIONS)
    if spec.privacy is Privacy.RESTRICTED:
        recipe["offline"] = True  # the trainer's default, said so that it holds for the model too
    return recipe


def settings_of(spec: JobSpec, n_params: int) -> dict[str, Setting]:
    """Every value of the recipe with its origin, as the trainer will resolve it."""
    raw = recipe_of(spec, "train.jsonl", None)
    return recipes.settings_of(raw, spec.training.examples, n_params)


def decided(resolved: Mapping[str, Any]) -> dict[str, Setting]:
    """The values of a run's ``resolved.json``; {} before its first start."""
    return {
        name: Setting(entry["value"], entry["origin"])
        for name, entry in resolved.get("values", {}).items()
        if isinstance(entry["value"], int | float | str | bool)
        and name not in recipes.SHOWN_ELSEWHERE | PATHS
    }
