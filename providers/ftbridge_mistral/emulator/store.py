"""What the emulator remembers, open to tests: files, jobs, tuned models, and every request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Memory

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
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``."""

    files: dict[str, StoredFile] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    max_upload_bytes: int = 512 * 1024 * 1024
    currency: str = "USD"

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this state, whatever the time; None lets go of it."""
        self.jobs[job_id].forced = raw_status


Emulator: TypeAlias = plumbing.Emulator[Store]
