"""What the emulator remembers, open to tests: files, jobs, tuned models, and every request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.timeline import Timeline

from .data import TrainingData


@dataclass(frozen=True)
class StoredFile:
    """An uploaded file."""

    id: str
    filename: str
    purpose: str
    content: bytes
    created: float
    visibility: str = "workspace"
    expires: float | None = None


@dataclass
class Job:
    """What was asked for, and what happened to it. Its state follows from this and the time."""

    id: str
    kind: str
    body: dict[str, Any]
    data: TrainingData
    problem: str | None
    created: float
    auto_start: bool
    started: float | None = None
    cancelled: float | None = None
    forced: str | None = None
    archived: bool = False
    deleted: bool = False
    card: dict[str, Any] = field(default_factory=dict)


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

    files: dict[str, StoredFile] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[Recorded] = field(default_factory=list)
    list_lag: float = 0.0
    max_upload_bytes: int = 512 * 1024 * 1024
    currency: str = "USD"

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this state, whatever the time; None lets go of it."""
        self.jobs[job_id].forced = raw_status


@dataclass
class Emulator:
    """One emulated account."""

    store: Store
    clock: Callable[[], float]
    timeline: Timeline
    speed: float
    api_key: str
    latency: float


@dataclass(frozen=True)
class Call:
    """One request, read and authorised."""

    path: dict[str, str]
    query: dict[str, str]
    body: Any
    now: float
