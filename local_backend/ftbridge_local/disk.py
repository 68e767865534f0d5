"""What runs take on this machine's disk: how much they may, and taking it back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ftbridge.errors import OperationFailed, UsageError
from ftbridge_local.runs import ENDED, Run

OPTION = "max_disk_gb"
SHOWN = 5
WEIGHTS = ("adapter", "model", "checkpoints")


def require_room(runs: Path, quota: str | None, key: str) -> None:
    """Refuse a new run while all together take more than the quota; one that has begun goes on.

    Args:
        quota: GB (10^9 bytes) as the option says; None: no bound.
        key: the run that is to start.

    Raises:
        UsageError: a quota that is no number.
        OperationFailed: naming the ended runs that take most, and how they are removed.
    """
    if quota is None or (runs / key).exists():
        return
    try:
        allowed = float(quota) * 1e9
    except ValueError:
        raise UsageError(f"option {OPTION}: `{quota}` is no number", where=OPTION) from None
    sizes = {path: _size(path) for path in _folders(runs)}
    used = sum(sizes.values())
    if used <= allowed:
        return
    ended = [path for path in sizes if Run(path).status()["state"] in ENDED]
    largest = sorted(ended, key=lambda path: -sizes[path])[:SHOWN]
    named = ", ".join(f"{path.name} ({sizes[path] / 1e9:.2f} GB)" for path in largest)
    raise OperationFailed(
        f"the runs here take {used / 1e9:.2f} GB, and {OPTION} allows {quota}; "
        + (f"ended ones that take most: {named}" if named else "none of them has ended"),
        hint="remove one with `ftbridge delete JOB --record` (its weights too) or "
        "`ftbridge delete JOB` (its weights alone), JOB being the one with that remote id in "
        "`ftbridge jobs --json`; then `ftbridge resume` this job",
        where=OPTION,
        code="disk_quota",
    )


def remove_run(folder: Path) -> None:
    """Remove a run's folder; one that is gone already is what was wanted.

    Raises:
        OperationFailed: while its process lives.
    """
    _require_still(folder)
    _remove(folder)


def remove_weights(model: Path, runs: Path) -> None:
    """Remove the weights of the run that a model lies in, checkpoints and all.

    Raises:
        UsageError: for a folder that no run of ours made. OperationFailed: while it is trained.
    """
    folder = model.expanduser().resolve().parent
    if folder.parent != runs.resolve() or model.name not in WEIGHTS:
        raise UsageError(
            f"{model} was made by no run here",
            hint="a base model is shared by runs; remove its folder by hand, if none needs it",
            where="model",
        )
    _require_still(folder)
    for name in WEIGHTS:
        _remove(folder / name)


def _remove(folder: Path) -> None:
    """Remove a folder, and see that it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise OperationFailed(
            f"{folder} could not be removed", hint="look at its owner and mount", where=folder.name
        )


def _require_still(folder: Path) -> None:
    run = Run(folder)
    if run.status()["state"] in ENDED:
        run.join()  # it has said its last word and may still be on its way out
    elif run.alive():
        raise OperationFailed(
            f"the run {folder.name} is still going", hint="cancel it first", where=folder.name
        )


def _folders(runs: Path) -> Iterator[Path]:
    return (path for path in runs.glob("*") if path.is_dir())


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # pruned by its run while we looked
            total += path.stat().st_size if path.is_file() else 0
    return total
