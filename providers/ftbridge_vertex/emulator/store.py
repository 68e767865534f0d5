"""What the emulator remembers, open to tests: jobs, models, endpoints, objects, every request."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Memory
from ftbridge.testing.rented import Hub
from ftbridge.testing.timeline import Stopwatch

from .data import TrainingData

PROJECT = "ftbridge-sandbox"
NUMBER = "416026402640"
"""The project's number: the vendor's answers name resources by it, whatever the request said."""
LOCATION = "us-central1"
BUCKET = "ftbridge-sandbox"
TOKEN = "ya29.vertex-sandbox"  # noqa: S105 -- an emulator's


def new_id() -> str:
    """Nineteen digits, as the service gives them; random: a client's ledger outlives a sandbox."""
    return str(10**18 + secrets.randbelow(8 * 10**18))


def stamp(moment: float) -> str:
    """A time as the vendor writes it (RFC 3339)."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def resource(location: str, *parts: str) -> str:
    """A resource name, under the project's number."""
    return "/".join(("projects", NUMBER, "locations", location, *parts))


@dataclass(frozen=True)
class Failure:
    """Why a job failed: the ``error`` of the job."""

    code: int
    message: str


@dataclass
class Job:
    """What was asked for, and what happened to it. Its state follows from this and the time."""

    id: str
    location: str
    body: dict[str, Any]
    spec_name: str
    base_model: str
    data: TrainingData
    failure: Failure | None
    watch: Stopwatch
    model_id: str
    endpoint_ids: list[str]
    version: int = 1
    cancelled_at: float | None = None
    forced: str | None = None
    written: bool = False

    @property
    def spec(self) -> dict[str, Any]:
        """The tuning spec of its method."""
        return dict(self.body[self.spec_name])

    @property
    def settings(self) -> dict[str, Any]:
        """Its hyperparameters."""
        return dict(self.spec.get("hyperParameters", {}))


@dataclass
class CustomJob:
    """A custom job as its machine has it; ``run`` leads the machine."""

    id: str
    location: str
    body: dict[str, Any]
    created: float
    state: str = "JOB_STATE_PENDING"
    changed: float = 0.0
    started: float | None = None
    ended: float | None = None
    error: str | None = None
    forced: str | None = None
    run: Any = None

    def __post_init__(self) -> None:
        self.changed = self.created


@dataclass
class Endpoint:
    """An endpoint, and what is deployed on it: deployed model id -> (model id, checkpoint id)."""

    id: str
    location: str
    display_name: str
    created: float
    labels: dict[str, str]
    deployed: dict[str, tuple[str, str | None]] = field(default_factory=dict)


class Sent(bytes):
    """A body in bytes, with the headers that it came with."""

    headers: dict[str, str]

    @classmethod
    def of(cls, content: bytes, headers: dict[str, str]) -> Sent:
        """Body and headers as one."""
        made = cls(content)
        made.headers = headers
        return made


@dataclass
class StoredObject:
    """One object of a bucket."""

    bucket: str
    name: str
    content: bytes
    generation: int
    created: float
    content_type: str = "application/octet-stream"
    metadata: dict[str, str] = field(default_factory=dict)
    kms_key: str | None = None


@dataclass
class Session:
    """A resumable upload under way."""

    bucket: str
    attributes: dict[str, Any]
    query: dict[str, str]
    content: bytearray = field(default_factory=bytearray)


@dataclass
class Operation:
    """A long-running operation: done after a moment, with this answer."""

    name: str
    kind: str
    answer: dict[str, Any]
    done_at: float


@dataclass
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``."""

    jobs: dict[str, Job] = field(default_factory=dict)
    custom_jobs: dict[str, CustomJob] = field(default_factory=dict)
    rents: bool = True
    """Whether custom jobs get a machine; else they wait in ``JOB_STATE_PENDING``."""
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    models: dict[str, list[Job]] = field(default_factory=dict)
    """Tuned models by id: the job of each version."""
    deleted_models: set[str] = field(default_factory=set)
    deleted_endpoints: set[str] = field(default_factory=set)
    operations: dict[str, Operation] = field(default_factory=dict)
    buckets: dict[str, str] = field(default_factory=lambda: {BUCKET: LOCATION})
    """Buckets and the location of each."""
    objects: dict[tuple[str, str], StoredObject] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    @cached_property
    def hub(self) -> Hub:
        """Where machines find base models: one tiny model under any name."""
        return Hub(Path(tempfile.mkdtemp(prefix="ftbridge-vertex-hub-")))

    def hold(self) -> None:
        """Let custom jobs wait from now on: see ``rents``."""
        self.rents = False

    def close(self) -> None:
        """Switch all machines off."""
        for job in self.custom_jobs.values():
            job.run.kill()

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this state, whatever the time; None lets go of it.

        A word that begins with ``TUNING_JOB_STATE_`` is the sub-state of a running job.
        """
        name = job_id.rpartition("/")[2]
        (self.custom_jobs.get(name) or self.jobs[name]).forced = raw_status


Emulator: TypeAlias = plumbing.Emulator[Store]
