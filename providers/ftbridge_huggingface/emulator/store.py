"""What an emulated Hub remembers: buckets (folders here) and jobs (machines here)."""

from __future__ import annotations

import atexit
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from ftbridge.testing.plumbing import Memory
from ftbridge.testing.rented import Hub, Machine, model_of

from .content import Content

SCHEDULING_SECONDS = 4.0
ENDED = frozenset({"COMPLETED", "CANCELED", "ERROR", "DELETED"})


class Runs(Protocol):
    """A machine that a job has."""

    def kill(self) -> None:
        """Take it away at once."""
        ...


Start = Callable[
    [Sequence[str], Mapping[str, Path], Mapping[str, str], Path, Callable[[int], None]], Runs
]
"""What begins a command on a machine, as :class:`ftbridge.testing.rented.Machine` does."""


@cache
def models_folder() -> Path:
    """The hub cache of this process, with the tiny model under each id that was asked for."""
    folder = Path(tempfile.mkdtemp(prefix="ftbridge-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass
class Bucket:
    """A bucket: who may see it, and the folder that stands for it."""

    id: str
    private: bool
    folder: Path
    created_at: float

    def files(self, prefix: str = "") -> list[Path]:
        """Its whole files below a prefix, sorted."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        names = ((path.relative_to(self.folder).as_posix(), path) for path in found)
        return [
            path
            for name, path in sorted(names)
            if not prefix or name == prefix or name.startswith(f"{prefix}/")
        ]


@dataclass
class Job:
    """A job: the body of its create, and how far it is."""

    id: str
    body: dict[str, Any]
    created_at: float
    stage: str = "SCHEDULING"
    message: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    machines: list[Runs] = field(default_factory=list)
    log: Path = Path("/dev/null")

    @property
    def labels(self) -> dict[str, str]:
        """What it is found by."""
        return dict(self.body.get("labels", {}))


class Store(Memory):
    """One Hub in a temporary folder, which goes with it, its machines first."""

    def __init__(
        self, clock: Callable[[], float], start: Start | None, scheduling: float | None
    ) -> None:
        """``start`` None: real machines. ``scheduling`` None: jobs wait for :meth:`begin`."""
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="ftbridge-hub-")
        self.root = Path(self._folder.name)
        self.clock, self.start, self.scheduling = clock, start or self._real, scheduling
        self.content = Content(self.root / "cas")
        self.models = Hub(models_folder())
        self.buckets: dict[str, Bucket] = {}
        self.jobs: dict[str, Job] = {}
        self.lock = threading.RLock()
        weakref.finalize(self, _end, self.jobs, self._folder)

    def new_bucket(self, bucket_id: str, private: bool) -> Bucket:
        """Make one."""
        folder = self.root / "buckets" / bucket_id
        folder.mkdir(parents=True)
        made = Bucket(bucket_id, private, folder, self.clock())
        self.buckets[bucket_id] = made
        return made

    def new_job(self, body: dict[str, Any]) -> Job:
        """Take one in; it begins once its machine is there."""
        job = Job(secrets.token_hex(12), body, self.clock())
        job.log = self.root / "logs" / f"{job.id}.log"
        self.jobs[job.id] = job
        if self.scheduling is not None:
            timer = threading.Timer(self.scheduling, self.begin, [job.id])
            timer.daemon = True
            timer.start()
        return job

    def hold(self) -> None:
        """Let new jobs wait for :meth:`begin`."""
        self.scheduling = None

    def begin(self, job_id: str) -> None:
        """Give a waiting job its machine."""
        with self.lock:
            job = self.jobs[job_id]
            if job.stage == "SCHEDULING":
                job.stage, job.started_at = "RUNNING", self.clock()
                self._boot(job)

    def cancel(self, job: Job) -> None:
        """Stop one for good."""
        with self.lock:
            self._end(job, "CANCELED", None)
            machines = list(job.machines)
        for machine in machines:
            machine.kill()

    def mounts(self, job: Job) -> dict[str, Path]:
        """The folders that stand for its volumes."""
        found = {}
        for volume in job.body.get("volumes", []):
            folder = self.buckets[volume["source"]].folder / volume.get("path", "")
            folder.mkdir(parents=True, exist_ok=True)
            found[volume["mountPath"]] = folder
        return found

    def holds(self, text: str) -> bool:
        """Whether any file in any bucket has this in it."""
        return any(
            text.encode() in path.read_bytes()
            for bucket in list(self.buckets.values())
            for path in bucket.files()
        )

    def _boot(self, job: Job) -> None:
        mounts = self.mounts(job)
        given = {**job.body.get("environment", {}), **job.body.get("secrets", {})}
        variables = self.models.variables | given | {"JOB_ID": job.id}
        command = [*job.body["command"], *job.body["arguments"]]
        ended = lambda code: self._ended(job, code)  # noqa: E731
        job.machines.append(self.start(command, mounts, variables, job.log, ended))

    def _real(
        self, command: Sequence[str], mounts: Mapping[str, Path], variables: Mapping[str, str],
        log: Path, ended: Callable[[int], None],
    ) -> Runs:  # fmt: skip
        for inputs in _inside(command, mounts):
            if (inputs / "recipe.json").is_file():
                self.models.offer(model_of(inputs))
        return Machine(command, mounts, variables, log, ended)

    def _ended(self, job: Job, code: int) -> None:
        """A machine is gone: another try, as ``attempts`` says, or the end."""
        with self.lock:
            if job.stage != "RUNNING":
                return
            if code == 0:
                self._end(job, "COMPLETED", None)
            elif len(job.machines) < job.body.get("attempts", 1):
                self._boot(job)
            else:
                self._end(job, "ERROR", f"Job failed with exit code: {code}")

    def _end(self, job: Job, stage: str, message: str | None) -> None:
        job.stage, job.message, job.finished_at = stage, message, self.clock()


def _inside(command: Sequence[str], mounts: Mapping[str, Path]) -> list[Path]:
    """The folders here that a command names by their places in the container."""
    return [
        folder / part.removeprefix(f"{place}/")
        for part in command
        for place, folder in mounts.items()
        if part.startswith(f"{place}/")
    ]


def _end(jobs: dict[str, Job], folder: tempfile.TemporaryDirectory[str]) -> None:
    """When a Hub goes, nothing of it goes on."""
    for job in list(jobs.values()):
        job.stage = job.stage if job.stage in ENDED else "CANCELED"
        for machine in job.machines:
            machine.kill()
    folder.cleanup()
