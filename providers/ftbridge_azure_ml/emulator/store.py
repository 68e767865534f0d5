"""What the emulator remembers, open to tests: jobs, environments, clusters, every request."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Memory
from ftbridge.testing.rented import Hub

from .disk import Disk

if TYPE_CHECKING:
    from .machine import Run

TENANT = "00000000-0000-0000-0000-00000000000a"
SUBSCRIPTION = "00000000-0000-0000-0000-00000000000b"
GROUP, WORKSPACE, REGION = "ftbridge", "sandbox", "eastus"
STORAGE, CONTAINER, DATASTORE = "sandboxstore", "azureml-blobstore", "workspaceblobstore"
FINAL = frozenset({"Completed", "Failed", "Canceled"})


def stamp(moment: float) -> str:
    """A time as ARM writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Job:
    """A command job: its ``properties`` as they were put, and what has come of it."""

    name: str
    body: dict[str, Any]
    created: float
    status: str = "NotStarted"
    forced: str | None = None
    run: Run | None = None
    started: float | None = None
    ended: float | None = None
    failure: str | None = None
    preemptions: int = 0
    operation: str = field(default_factory=lambda: uuid4().hex)
    """The id of the operation that a cancellation is."""

    @property
    def shown(self) -> str:
        """The status that is told."""
        return self.forced or self.status


@dataclass(frozen=True)
class Cluster:
    """A compute cluster of the workspace."""

    name: str
    size: str
    priority: str = "Dedicated"
    nodes: int = 1


def _clusters() -> dict[str, Cluster]:
    made = [
        Cluster("gpu", "Standard_NC24ads_A100_v4"),
        Cluster("gpu-low", "Standard_NC24ads_A100_v4", "LowPriority"),
    ]
    return {cluster.name: cluster for cluster in made}


@dataclass(kw_only=True)
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``."""

    jobs: dict[str, Job] = field(default_factory=dict)
    environments: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=_clusters)
    credentials: str = "AccountKey"
    """What the datastore is reached with: AccountKey, Sas or None (a person's own identity)."""
    rents: bool = True
    """Whether jobs really run; else they wait in ``Queued`` for `begin` and `finish`."""
    preempts: Callable[[Job, Path], bool] = lambda job, outputs: False
    """Whether a job on capacity of low priority loses its node now; asked several times a second
    with the folder of its first output."""

    def __post_init__(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="azure-ml-"))
        """Where blobs and machines have their disks; gone with the store."""
        weakref.finalize(self, shutil.rmtree, self.work, ignore_errors=True)
        self.hub = Hub(self.work / "hub")
        self.disk = Disk(self.work / "storage")
        self.disk.make(CONTAINER)

    def force_status(self, name: str, status: str | None) -> None:
        """Make a job answer with this status, whatever happens; None lets go of it."""
        self.jobs[name].forced = status

    def begin(self, name: str, now: float) -> None:
        """Let a job run that nothing really runs (see ``rents``)."""
        job = self.jobs[name]
        job.status, job.started = "Running", now

    def finish(self, name: str, now: float, status: str = "Completed") -> None:
        """Let it end."""
        job = self.jobs[name]
        job.status, job.ended = status, now

    def hold(self) -> None:
        """Let jobs wait from now on: see ``rents``."""
        self.rents = False

    def close(self) -> None:
        """Switch all machines off."""
        for job in self.jobs.values():
            if job.run is not None:
                job.run.kill()


Emulator: TypeAlias = plumbing.Emulator[Store]
