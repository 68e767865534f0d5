"""`python -m ftbridge_trainer RUN_DIR`: exit code 0 when done (or stopped on request), 1 else."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import keys
from .control import run_lock
from .errors import TrainerError
from .run_dir import RunDir, Silent, now, read_json
from .train import refuse_changes, train
from .world import World, here

# Kinds whose message speaks of the machine; others might quote the data, which no log may hold.
SAFE_MESSAGES = (OSError, MemoryError, ImportError, RuntimeError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train in a run directory."""
    parser = argparse.ArgumentParser("ftbridge_trainer", description=__doc__)
    parser.add_argument("run_dir", type=Path, help="folder that holds recipe.json")
    path: Path = parser.parse_args(arguments).run_dir.resolve()
    try:
        if not path.is_dir():
            raise TrainerError("run_dir_missing", f"{path} is no folder", "create it first")
        world = here()
        if not world.first:
            return run_in(Silent(path), world)
        with run_lock(path):
            return run_in(RunDir(path), world)
    except TrainerError as error:  # before the lock is ours, the status belongs to another
        sys.stderr.write(f"{error.code}: {error.message}; {error.hint}\n")
        return 1


def run_in(run: RunDir, world: World, *, final: bool = True) -> int:
    """Train in an open run directory, and leave the outcome in its status.

    Args:
        final: whether an unforeseen end is one; else it is raised, for a caller that starts again.
    """
    path = run.path
    try:
        raw = keys.read(path / "recipe.json")
        result = read_json(path / "result.json")
        if result is not None:
            refuse_changes({**(read_json(path / "resolved.json") or {}), **result}, raw, None)
            return 0
        state = train(raw, run, world)
    except TrainerError as error:
        return fail(run, error)
    except Exception as error:  # the caller must find every end in the status
        if not final:
            raise
        return fail(run, _unexpected(error))
    run.update(state=state, ended_at=now() if state != "paused" else None, error=None)
    if state != "succeeded":
        run.event(state, f"{state} after step {run.status.step}", step=run.status.step)
    return 0


def fail(run: RunDir, error: TrainerError) -> int:
    """Leave an error in the status; returns the exit code."""
    if isinstance(run, Silent):  # nobody else would hear of it
        sys.stderr.write(f"{error.code}: {error.message}\n")
    run.event("failed", error.message, "error", step=run.status.step, code=error.code)
    run.update(state="failed", ended_at=now(), error=error.as_dict())
    return 1


def _unexpected(error: Exception) -> TrainerError:
    name = type(error).__name__
    out_of_memory = isinstance(error, MemoryError) or "OutOfMemory" in name
    if out_of_memory or "can't allocate memory" in str(error):
        return TrainerError(
            "out_of_memory",
            "the device ran out of memory",
            'lower micro_batch_size or max_length, or set "gradient_checkpointing": true',
        )
    frame: Any = traceback.extract_tb(error.__traceback__)[-1]
    said = f": {str(error).splitlines()[0][:300]}" if isinstance(error, SAFE_MESSAGES) else ""
    return TrainerError(
        "internal",
        f"{name} at {Path(frame.filename).name}:{frame.lineno}{said}",
        "start the run again; if it fails the same way, report it with events.jsonl",
    )


if __name__ == "__main__":
    sys.exit(main())
