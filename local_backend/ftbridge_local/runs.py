"""Runs on this machine: a folder each, a detached process each. The folder is the contract
(``ftbridge_trainer/README.md``); this module starts, reads and stops, and imports no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ftbridge import clock, run_records
from ftbridge.errors import ProviderError
from ftbridge.files import atomic_write, private_dir
from ftbridge_trainer.guard import OFFLINE, QUIET

ENDED = frozenset({"succeeded", "failed", "cancelled"})
INTERRUPTED = "interrupted"
"""Our word for a run whose process is gone before its end."""


_LAUNCH = """
import os, subprocess, sys
os.umask(0o077)
trainer = subprocess.Popen(sys.argv[1:], stdout=sys.stderr, start_new_session=True)
os.write(1, str(trainer.pid).encode())
os._exit(0)
"""
"""Run in between, so that the trainer is nobody's child: no zombie in a long-lived application."""


class Run:
    """One run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Whether a recipe was written for it."""
        return (self.path / "recipe.json").exists()

    def prepare(self, recipe: dict[str, Any]) -> None:
        """Write the recipe, unless the run has one already."""
        private_dir(self.path)
        if not self.exists:
            with atomic_write(self.path / "recipe.json") as stream:
                stream.write(json.dumps(recipe, indent=1).encode())

    def start(self) -> None:
        """Start the trainer as a process of its own that outlives this one.

        A second trainer on the same folder ends at once by itself, so starting twice is safe.
        """
        for request in ("pause", "cancel"):
            (self.path / request).unlink(missing_ok=True)
        self._mark("preparing")  # the last word of an earlier process no longer holds
        log = os.open(self.path / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        command = [sys.executable, *self._launcher(), str(self.path)]
        try:
            started = subprocess.run(
                [sys.executable, "-c", _LAUNCH, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.path,
                env=_environment(),
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            raise ProviderError(
                "the trainer cannot be started", hint=f"see {self.path / 'log.txt'}"
            ) from None
        finally:
            os.close(log)
        with atomic_write(self.path / "worker.pid") as stream:
            stream.write(started.stdout.strip())

    def _launcher(self) -> list[str]:
        """The trainer; under Ray or torchrun, where the recipe asks for processes that train
        together."""
        recipe = self._read("recipe.json") or {}
        if recipe.get("engine") == "ray":
            return ["-m", "ftbridge_trainer.on_ray"]
        trainer, workers = ["-m", "ftbridge_trainer"], recipe.get("workers", 1)
        if workers == 1:
            return trainer
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={workers}"]
        return [*launcher, *trainer]

    def status(self) -> dict[str, Any]:
        """The trainer's ``status.json``, with ``interrupted`` where its process is gone."""
        alive = self.alive()  # asked first: the last word of a process is written before it ends
        status = self._read("status.json") or {"state": "preparing"}
        if status["state"] not in ENDED | {"paused"} and not alive:
            status["state"] = INTERRUPTED
        return status

    def alive(self) -> bool:
        """Whether the trainer process runs: the one that we started last, or the one that wrote
        the status (whoever started it may have been killed before he could note its number)."""
        try:
            noted = (self.path / "worker.pid").read_text()
        except OSError:
            noted = ""
        status = self._read("status.json") or {}
        return any(self._runs(pid) for pid in (noted, str(status.get("pid", ""))) if pid.isdigit())

    def _runs(self, pid: str) -> bool:
        import psutil

        try:
            process = psutil.Process(int(pid))
            return process.status() != psutil.STATUS_ZOMBIE and str(self.path) in process.cmdline()
        except psutil.Error:
            return False

    def join(self) -> None:
        """Wait for the end of the process."""
        while self.alive():
            clock.sleep(0.1)

    def wait(self) -> None:
        """Wait for a good end.

        Raises:
            ProviderError: where it did not succeed.
        """
        self.join()
        if self.status()["state"] != "succeeded":
            raise ProviderError(f"the run in {self.path} did not succeed", hint="see its log.txt")

    def request(self, what: str) -> None:
        """Ask the trainer to ``cancel`` or ``pause``; a dead one is marked here."""
        (self.path / what).touch(mode=0o600)
        if not self.alive():
            self._mark({"cancel": "cancelled", "pause": "paused"}[what])

    def result(self) -> dict[str, Any] | None:
        """What the trainer wrote at its end, or None."""
        return self._read("result.json")

    def resolved(self) -> dict[str, Any]:
        """What the trainer decided when it first started; {} before that."""
        return self._read("resolved.json") or {}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The lines of ``events`` or ``metrics``; half a line at the end is left out."""
        try:
            return run_records.rows((self.path / f"{name}.jsonl").read_text("utf-8"))
        except OSError:
            return []

    def _mark(self, state: str) -> None:
        """Write a state in the place of a trainer that does not run."""
        status = self._read("status.json")
        if status and status["state"] not in ENDED:
            with atomic_write(self.path / "status.json") as stream:
                stream.write(json.dumps(status | {"state": state}).encode())

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return run_records.document((self.path / name).read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            return None


def _environment() -> dict[str, str]:
    """The worker's environment: offline, no telemetry, and modules found as they are here."""
    roots = os.pathsep.join(path for path in sys.path if path)
    quiet = dict.fromkeys(OFFLINE, "1") | QUIET
    return os.environ | quiet | {"PYTHONPATH": roots}
