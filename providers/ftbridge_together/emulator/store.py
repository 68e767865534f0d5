"""What the emulator remembers, open to tests: files, jobs, and every request it got."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ftbridge.testing.timeline import Stopwatch, Timeline

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
class Recorded:
    """One request, with the body as it was understood (uploads: their size)."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    status: int = 0


@dataclass
class Store:
    """Everything the emulator knows; ``app.state.store``. ``user_limit``: USD of credit."""

    files: dict[str, StoredFile] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[Recorded] = field(default_factory=list)
    user_limit: float = 100.0
    list_lag: float = 0.0
    hidden_until: dict[str, float] = field(default_factory=dict)

    def lag_lists_until(self, key: str, moment: float) -> None:
        """Leave one job or file out of lists until then (GET by id finds it all the same)."""
        self.hidden_until[key] = moment

    def listed(self, key: str, created: float, now: float) -> bool:
        """Whether lists show it yet."""
        return now >= max(created + self.list_lag, self.hidden_until.get(key, created))

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this status, whatever the time; None lets go of it."""
        self.jobs[job_id].forced = raw_status


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
