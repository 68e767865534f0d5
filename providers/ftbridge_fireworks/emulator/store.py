"""What the emulator remembers, open to tests: datasets, jobs, deployments, and every request."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ftbridge.testing.timeline import Stopwatch, Timeline

from .data import TrainingData

ACCOUNT = "sandbox"
# Shown by an old, undated copy of the vendor's price page: an example, not today's price.
USD_PER_MILLION = 0.5


def new_id() -> str:
    """An id for a client that names none. Random, since a client's ledger outlives a sandbox."""
    return "r" + secrets.token_hex(7)


def stamp(moment: float) -> str:
    """A time as the vendor writes it (RFC 3339)."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Dataset:
    """A dataset record and the files that were put into it."""

    id: str
    settings: dict[str, Any]
    created: float
    registered: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    ready_at: float | None = None

    @property
    def content(self) -> bytes:
        """All shards as one."""
        return b"\n".join(body.rstrip(b"\n") for body in self.files.values())


@dataclass(frozen=True)
class Failure:
    """Why a job failed: the ``status`` of the job object."""

    code: str
    message: str


@dataclass
class Job:
    """What was asked for, and what happened to it. Its state follows from this and the time."""

    id: str
    kind: str
    body: dict[str, Any]
    settings: dict[str, Any]
    base_model: str
    output_model: str
    data: TrainingData
    failure: Failure | None
    watch: Stopwatch
    cancelled_at: float | None = None
    suspended: bool = False
    forced: str | None = None


@dataclass
class Deployment:
    """Rented GPUs with a base model on them."""

    id: str
    body: dict[str, Any]
    created: float
    deleted_at: float | None = None


@dataclass
class Addon:
    """A LoRA loaded into a deployment."""

    id: str
    model: str
    deployment: str
    body: dict[str, Any]
    created: float


@dataclass
class Recorded:
    """One request, with the body as it was understood (uploads: name and size)."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    status: int = 0


@dataclass
class Store:
    """Everything the emulator knows; ``app.state.store``."""

    datasets: dict[str, Dataset] = field(default_factory=dict)
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    addons: dict[str, Addon] = field(default_factory=dict)
    outputs: dict[str, Job] = field(default_factory=dict)
    evaluators: set[str] = field(default_factory=lambda: {"sandbox"})
    requests: list[Recorded] = field(default_factory=list)
    usd_per_million: float = USD_PER_MILLION
    max_upload_bytes: int = 150_000_000
    list_lag: float = 0.0
    hidden_until: dict[str, float] = field(default_factory=dict)

    def job(self, job_id: str) -> Job:
        """A job of whichever kind by its id."""
        return next(job for job in self.jobs.values() if job.id == job_id)

    def lag_lists_until(self, key: str, moment: float) -> None:
        """Leave one job or dataset out of lists until then (GET by id finds it all the same)."""
        self.hidden_until[key] = moment

    def listed(self, key: str, created: float, now: float) -> bool:
        """Whether lists show it yet: vendors' lists lag behind their creates."""
        return now >= max(created + self.list_lag, self.hidden_until.get(key, created))

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this state, whatever the time; None lets go of it."""
        self.job(job_id).forced = raw_status

    def suspend(self, job_id: str, now: float) -> None:
        """What the vendor does to a job of a suspended account: JOB_STATE_PAUSED."""
        job = self.job(job_id)
        job.watch.stop(now)
        job.suspended = True


@dataclass
class Emulator:
    """One emulated account: its store, its clock, and how long its jobs take."""

    store: Store
    clock: Callable[[], float]
    timeline: Timeline
    speed: float
    api_key: str
    latency: float


@dataclass(frozen=True)
class Call:
    """One request, read and authorised. ``base`` is the emulator's own address."""

    path: dict[str, str]
    query: dict[str, str]
    body: Any
    now: float
    base: str
