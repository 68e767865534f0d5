"""What the emulator remembers, open to tests: files, jobs, and every request it got."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Memory
from ftbridge.testing.timeline import Stopwatch

from .data import Report, TrainingData

USER = "user-sandbox"


def new_id(prefix: str) -> str:
    """``ft-`` or ``file-`` and a random UUID's digits: a client's ledger outlives a sandbox."""
    digits = secrets.token_hex(16)
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return prefix + "-".join(parts)


def stamp(moment: float) -> str:
    """A time as the vendor writes it (RFC 3339)."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


@dataclass
class StoredFile:
    """A file: announced, then sent to its upload address, then given to validation."""

    id: str
    filename: str
    purpose: str
    kind: str
    checksum: str
    created: float
    content: bytes | None = None
    report: Report | None = None
    preprocessed_at: float | None = None


@dataclass(frozen=True)
class Failure:
    """Why a job fails, once its data were read."""

    message: str


@dataclass
class Job:
    """What was asked for, and what happened to it. Its state follows from this and the time."""

    id: str
    body: dict[str, Any]
    output_name: str
    data: TrainingData
    failure: Failure | None
    price: float
    watch: Stopwatch
    cancel_asked_at: float | None = None
    forced: str | None = None


@dataclass
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``. ``user_limit``: USD of credit."""

    files: dict[str, StoredFile] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    user_limit: float = 100.0

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this status, whatever the time; None lets go of it."""
        self.jobs[job_id].forced = raw_status


Emulator: TypeAlias = plumbing.Emulator[Store]
