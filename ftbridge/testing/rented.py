"""Machines for emulators of platforms that rent them: they run the staged command for real.

A machine is a process here. What a container would mount, the command names by its place inside;
``mounts`` says which folder here each place is. The model hub is a cache that holds one tiny model
under every id that is asked for, so that nothing is fetched.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ftbridge.testing import tiny_model

REVISION = "0" * 40
GRACE_SECONDS = 120.0
"""How long a machine has from notice to its end."""


class Hub:
    """A hub cache with one tiny model, put there under a name when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def offer(self, model: str) -> None:
        """Let ``model`` be in the cache."""
        home = self.folder / f"models--{model.replace('/', '--')}"
        with self._lock:
            if (home / "refs" / "main").exists():
                return
            tiny_model.build(home / "snapshots" / REVISION)
            (home / "refs").mkdir()
            (home / "refs" / "main").write_text(REVISION)

    @property
    def variables(self) -> dict[str, str]:
        """What points the hub's client at the cache, and nowhere else."""
        return {"HF_HUB_CACHE": str(self.folder), "HF_HUB_OFFLINE": "1"}


class Machine:
    """One command, running in the background until it ends or is stopped."""

    def __init__(
        self,
        command: Sequence[str],
        mounts: Mapping[str, Path],
        variables: Mapping[str, str],
        log: Path,
        ended: Callable[[int], None],
    ) -> None:
        """Start it. ``ended(code)`` is called from a thread; negative: died by that signal."""
        places = sorted(mounts, key=len, reverse=True)
        argv = [_inside(part, mounts, places) for part in command]
        if argv[0] in ("python", "python3"):
            argv[0] = sys.executable
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                argv,
                env=_environment(variables),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that nothing of it outlives it
            )
        self._told = ended
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def reclaim(self) -> None:
        """Take it away with notice, as a spot machine is: SIGTERM, and after a while the end."""
        self._process.terminate()

    def kill(self) -> None:
        """Take it away at once with all that runs on it, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.join()

    def join(self, seconds: float = GRACE_SECONDS) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def _wait(self) -> None:
        self._told(self._process.wait())


def model_of(inputs: Path) -> str:
    """The base model that a staged recipe asks for."""
    return str(json.loads((inputs / "recipe.json").read_text("utf-8"))["model"])


def _inside(part: str, mounts: Mapping[str, Path], places: Sequence[str]) -> str:
    for place in places:
        if part == place or part.startswith(f"{place}/"):
            return str(mounts[place]) + part[len(place) :]
    return part


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """That of a clean machine: the path, and what the platform gives."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return kept | threads | {"HOME": "/nonexistent"} | dict(variables)
