"""Runs on this machine: a folder each, a detached process each. The folder is the contract
(``ftbridge_trainer/README.md``); this module starts, reads and stops, and imports no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ftbridge import clock
from ftbridge.errors import ProviderError
from ftbridge.files import atomic_write, private_dir

ENDED = frozenset({"succeeded", "failed", "cancelled"})
INTERRUPTED = "interrupted"
"""Our word for a run whose process is gone before its end."""


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
        log = os.open(self.path / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ftbridge_trainer", str(self.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.path,
                env=_environment(),
            )
        except OSError as error:
            raise ProviderError(f"the trainer cannot be started: {error.strerror}") from None
        finally:
            os.close(log)
        with atomic_write(self.path / "worker.pid") as stream:
            stream.write(str(process.pid).encode())

    def status(self) -> dict[str, Any]:
        """The trainer's ``status.json``, with ``interrupted`` where its process is gone."""
        alive = self.alive()  # asked first: the last word of a process is written before it ends
        status = self._read("status.json") or {"state": "preparing"}
        if status["state"] not in ENDED | {"paused"} and not alive:
            status["state"] = INTERRUPTED
        return status

    def alive(self) -> bool:
        """Whether the trainer process runs."""
        import psutil

        try:
            pid = int((self.path / "worker.pid").read_text())
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and str(self.path) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return False

    def wait(self) -> None:
        """Wait for the end of the process.

        Raises:
            ProviderError: where it did not succeed.
        """
        while self.alive():
            clock.sleep(0.2)
        if self.status()["state"] != "succeeded":
            raise ProviderError(f"the run in {self.path} did not succeed", hint="see its log.txt")

    def request(self, what: str) -> None:
        """Ask the trainer to ``cancel`` or ``pause``; a dead one is marked here."""
        (self.path / what).touch(mode=0o600)
        if not self.alive():
            status = self.status()
            if status["state"] not in ENDED:
                status["state"] = {"cancel": "cancelled", "pause": "paused"}[what]
                with atomic_write(self.path / "status.json") as stream:
                    stream.write(json.dumps(status).encode())

    def result(self) -> dict[str, Any] | None:
        """What the trainer wrote at its end, or None."""
        return self._read("result.json")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The lines of ``events`` or ``metrics``; half a line at the end is left out."""
        try:
            lines = (self.path / f"{name}.jsonl").read_text("utf-8").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            content = json.loads((self.path / name).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None


def _environment() -> dict[str, str]:
    """The worker's environment: no telemetry, and modules found as they are found here."""
    roots = os.pathsep.join(path for path in sys.path if path)
    quiet = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    return os.environ | quiet | {"PYTHONPATH": roots}
