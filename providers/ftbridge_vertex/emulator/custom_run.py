"""A custom job on its machine: the container's command runs here, its bucket mounted as a folder.

Cloud Storage FUSE is stood in for by a folder for each bucket that the command names: objects are
put there before it starts, and what changes is put back as objects while it runs. A machine that is
lost is replaced where ``restartJobOnWorkerRestart`` says so. No image is run: Python is this one.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from ftbridge.testing.rented import Machine, model_of

from . import storage
from .store import CustomJob, Emulator, StoredObject

MOUNT = "/gcs"
LOOK_SECONDS = 0.2
GRACE_SECONDS = 30.0
LOST = (-9, 75)
"""How a machine ends that was taken away: at once, or on notice with a checkpoint."""


class Run:
    """One job's machines, one after another, led by a thread."""

    def __init__(self, emulator: Emulator, job: CustomJob) -> None:
        self.job, self._emulator = job, emulator
        self._home = Path(tempfile.mkdtemp(prefix="ftbridge-vertex-"))
        self.hub = emulator.store.hub
        self.machine: Machine | None = None
        self._stopped = False
        self._code = 0
        self._seen: dict[Path, tuple[int, int]] = {}
        self.thread = threading.Thread(target=self._lead, name=job.id, daemon=True)
        if emulator.store.rents:
            self.thread.start()

    def stop(self) -> None:
        """SIGTERM for good; the job is cancelled once its machine is off."""
        self._stopped = True
        self._move("JOB_STATE_CANCELLING" if self.thread.is_alive() else "JOB_STATE_CANCELLED")
        if self.machine is not None:
            self.machine.reclaim()

    def interrupt(self) -> None:
        """Take the machine away without notice."""
        if self.machine is not None:
            self.machine.kill()

    def kill(self) -> None:
        """Switch the machine off for good, at once."""
        self._stopped = True
        if self.machine is not None and self.machine.alive:
            self.machine.kill()
        if self.thread.is_alive():
            self.thread.join(GRACE_SECONDS)

    @property
    def log(self) -> str:
        """What the container has written."""
        path = self._home / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # -- the thread --------------------------------------------------------------------------

    def _lead(self) -> None:
        try:
            self._mount()
            again = self.job.body["jobSpec"].get("scheduling", {}).get("restartJobOnWorkerRestart")
            while self._attempt() and again and not self._stopped:
                pass
            self._end()
        except Exception as error:
            self.job.error = f"Internal error: {type(error).__name__}"
            self._move("JOB_STATE_FAILED")
            raise
        finally:
            shutil.rmtree(self._home / "mounts", ignore_errors=True)

    def _attempt(self) -> bool:
        """One machine; whether it was lost."""
        if self._stopped:
            return False
        for folder in self._mounts().glob("**/recipe.json"):
            self.hub.offer(model_of(folder.parent))
        self.job.started = self.job.started or self._emulator.clock()
        places = {MOUNT: self._mounts()}
        log = self._home / "log"
        self.machine = Machine(self._command(), places, self.hub.variables, log, self._ended)
        self._move("JOB_STATE_RUNNING")
        if self._asked():  # while the machine came up
            self.stop()
        waited = 0.0
        while self.machine.alive:
            self.machine.join(LOOK_SECONDS)
            self._put_back()
            waited += LOOK_SECONDS if self._stopped else 0.0
            if waited > GRACE_SECONDS:
                self.machine.kill()
        self.machine.join()
        self._put_back()
        return self._code in LOST

    def _asked(self) -> bool:
        return self._stopped

    def _ended(self, code: int) -> None:
        self._code = code

    def _end(self) -> None:
        if self._stopped:
            self._move("JOB_STATE_CANCELLED")
        elif self._code == 0:
            self._move("JOB_STATE_SUCCEEDED")
        else:
            self.job.error = (
                f"The replica workerpool0-0 exited with a non-zero status of {self._code}."
            )
            self._move("JOB_STATE_FAILED")

    def _move(self, state: str) -> None:
        now = self._emulator.clock()
        self.job.state, self.job.changed = state, now
        if state in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"):
            self.job.ended = now

    # -- the mount ---------------------------------------------------------------------------

    def _mounts(self) -> Path:
        return self._home / "mounts"

    def _mount(self) -> None:
        """Every object below a folder that the command names; others would not be read."""
        self._mounts().mkdir()
        named = [part.removeprefix(f"{MOUNT}/") for part in self._command() if MOUNT in part]
        for (bucket, name), found in list(self._emulator.store.objects.items()):
            path = (self._mounts() / bucket / name).resolve()
            inside = path.is_relative_to(self._mounts().resolve())
            if inside and any(f"{bucket}/{name}".startswith(f"{each}/") for each in named):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(found.content)
                stat = path.stat()
                self._seen[path] = (stat.st_size, stat.st_mtime_ns)

    def _command(self) -> list[str]:
        container = self.job.body["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]
        return [*container["command"], *container.get("args", ())]

    def _put_back(self) -> None:
        """What the container has written or removed."""
        root = self._mounts().resolve()
        there = sorted(path for path in root.rglob("*") if path.is_file())
        for path in there:
            with suppress(FileNotFoundError):  # renamed while we looked
                stat = path.stat()
                if self._seen.get(path) != (stat.st_size, stat.st_mtime_ns):
                    bucket, _, name = path.relative_to(root).as_posix().partition("/")
                    made = StoredObject(bucket, name, path.read_bytes(), 0, self._emulator.clock())
                    storage.put(self._emulator, made)
                    self._seen[path] = (stat.st_size, stat.st_mtime_ns)
        for path in self._seen.keys() - set(there):
            bucket, _, name = path.relative_to(root).as_posix().partition("/")
            self._emulator.store.objects.pop((bucket, name), None)
            del self._seen[path]
