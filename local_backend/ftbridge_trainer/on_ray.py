"""`python -m ftbridge_trainer.on_ray RUN_DIR`: the same run, its processes started by Ray Train.

Ray (2.60.0) places the workers, on a cluster of its own here or on the one that RAY_ADDRESS names,
and starts them again when one is lost; each calls what torchrun's processes call. The run directory
must be one that every machine sees. A lost worker is no failed run: the next start goes on from
the newest whole checkpoint.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from . import __main__ as command
from . import guard, keys
from .control import run_lock
from .errors import TrainerError
from .run_dir import RunDir, Silent, read_json
from .world import here

STARTS = 4
"""How often the workers may be started again after one was lost."""
LOCK_SECONDS = 60.0
ASIDE = ".ray"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train in a run directory with the recipe's `workers`; exit codes as without Ray."""
    parser = argparse.ArgumentParser("ftbridge_trainer.on_ray", description=__doc__)
    parser.add_argument("run_dir", type=Path, help="folder that holds recipe.json")
    path: Path = parser.parse_args(arguments).run_dir.resolve()
    try:
        raw = keys.read(path / "recipe.json")
        _fit(path, raw)
    except TrainerError as error:
        return command.fail(RunDir(path), error)
    finally:
        shutil.rmtree(path / ASIDE, ignore_errors=True)
    ended = read_json(path / "status.json") or {}
    return 1 if ended.get("state") == "failed" else 0


def _fit(path: Path, raw: dict[str, Any]) -> None:
    """Start the workers and wait for their end.

    Raises:
        TrainerError: where Ray is missing, or gave up.
    """
    guard.set_environment(raw.get("offline", True))
    os.environ.setdefault("RAY_TRAIN_V2_ENABLED", "1")
    try:
        import ray
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer
    except ImportError:
        raise TrainerError(
            "missing_package", "the engine ray needs Ray", "pip install 'ftbridge[ray]'"
        ) from None
    workers, on_gpu = raw.get("workers", 1), _on_gpu(raw)
    _join(ray, workers, on_gpu)
    try:
        TorchTrainer(
            work,
            train_loop_config={"run": str(path)},
            torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if on_gpu else "gloo"),
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=on_gpu),
            run_config=RunConfig(
                name="run",
                storage_path=str(path / ASIDE),
                failure_config=FailureConfig(max_failures=STARTS),
            ),
        ).fit()
    except ray.exceptions.RayError as error:
        raise _given_up(error) from None
    except RuntimeError as error:  # what Ray Train raises in the end
        raise _given_up(error) from None
    finally:
        ray.shutdown()


def _join(ray: Any, workers: int, on_gpu: bool) -> None:
    """Connect to the cluster that the environment names, else make one of this machine."""
    quiet = {"log_to_driver": False, "configure_logging": False}
    if os.environ.get("RAY_ADDRESS"):
        package = str(Path(__file__).parent)
        ray.init(runtime_env={"py_modules": [package], "env_vars": dict(guard.QUIET)}, **quiet)
        return
    cores = max(workers + 1, os.cpu_count() or 1)  # one for Ray Train's own controller
    gpus = {} if on_gpu else {"num_gpus": 0}
    ray.init(address="local", num_cpus=cores, include_dashboard=False, **gpus, **quiet)


def work(config: dict[str, str]) -> None:
    """One worker: what one of torchrun's processes does. Any unforeseen end is raised, so that Ray
    starts the workers again; an error of the recipe or the data is final and stands in the status.
    """
    path, world = Path(config["run"]), here()
    with _locked(path) if world.first else nullcontext():
        command.run_in(RunDir(path) if world.first else Silent(path), world, final=False)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """The run's lock, which a lost worker's process may hold for a moment yet."""
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            with run_lock(path):
                yield
                return
        except TrainerError as error:
            if error.code != "already_running" or time.monotonic() > end:
                raise
            time.sleep(0.2)


def _on_gpu(raw: dict[str, Any]) -> bool:
    import torch

    return raw.get("device") != "cpu" and bool(torch.cuda.is_available())


def _given_up(error: Exception) -> TrainerError:
    return TrainerError(
        "workers_lost",
        f"Ray gave the run up after {STARTS} new starts ({type(error).__name__})",
        "see log.txt; start the run again, and it goes on from its newest checkpoint",
    )


if __name__ == "__main__":
    # the workers import it by its name; `__main__` would mean something else to them
    sys.exit(import_module("ftbridge_trainer.on_ray").main())
