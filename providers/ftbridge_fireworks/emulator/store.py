"""What the emulator remembers, open to tests: datasets, jobs, deployments, and every request."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Memory
from ftbridge.testing.timeline import Stopwatch

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
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``."""

    datasets: dict[str, Dataset] = field(default_factory=dict)
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    addons: dict[str, Addon] = field(default_factory=dict)
    outputs: dict[str, Job] = field(default_factory=dict)
    evaluators: set[str] = field(default_factory=lambda: {"sandbox"})
    usd_per_million: float = USD_PER_MILLION
    max_upload_bytes: int = 150_000_000

    def job(self, job_id: str) -> Job:
        """A job of whichever kind by its id."""
        return next(job for job in self.jobs.values() if job.id == job_id)

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this state, whatever the time; None lets go of it."""
        self.job(job_id).forced = raw_status

    def suspend(self, job_id: str, now: float) -> None:
        """What the vendor does to a job of a suspended account: JOB_STATE_PAUSED."""
        job = self.job(job_id)
        job.watch.stop(now)
        job.suspended = True


Emulator: TypeAlias = plumbing.Emulator[Store]
