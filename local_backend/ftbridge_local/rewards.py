"""What reinforcement here needs beside the common check of a grader: who scores, and with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from ftbridge.errors import NotInstalled, Unsupported
from ftbridge.graders import Grader
from ftbridge_trainer.scoring import unscored


def require(grader: Grader) -> None:
    """Raise where answers cannot be scored here, or TRL is missing.

    Raises:
        Unsupported: a similarity that nobody computes here.
        NotInstalled: without the extra ``local_rl``.
    """
    if (reason := unscored(grader.wire())) is not None:
        raise Unsupported(
            f"not scored on this machine: {reason}",
            hint="use fuzzy_match, or a python grader with a measure of your own",
            where="grader",
        )
    missing = [name for name in ("trl", "datasets", "rapidfuzz") if find_spec(name) is None]
    if missing:
        raise NotInstalled(
            f"rl on this machine needs {', '.join(missing)}, which is not installed",
            hint="pip install 'ftbridge[local_rl]'",
        )


def placed(recipe: dict[str, Any], folder_of: Callable[[str], str]) -> dict[str, Any]:
    """The recipe with the folders of the models that judge in place of their names."""
    grader = recipe.get("grader")
    return recipe if grader is None else recipe | {"grader": _placed(grader, folder_of)}


def _placed(grader: Mapping[str, Any], folder_of: Callable[[str], str]) -> dict[str, Any]:
    if grader["type"] == "multi":
        each = {name: _placed(part, folder_of) for name, part in grader["graders"].items()}
        return dict(grader) | {"graders": each}
    if grader["type"] == "score_model":
        return dict(grader) | {"model": folder_of(grader["model"])}
    return dict(grader)
