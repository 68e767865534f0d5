"""What the emulator remembers, open to tests: files, jobs, and every request it got."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Memory
from ftbridge.testing.timeline import Stopwatch

from .data import TrainingData

_ALPHABET = string.ascii_letters + string.digits
MAX_FILE_BYTES = 512 * 1024 * 1024


def new_id(prefix: str, length: int = 24) -> str:
    """A random id in the vendor's form. Random, since a client's ledger outlives a sandbox."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


Naming = Callable[[str, str, str, "int | None"], str]
"""Base model, suffix, id and checkpoint step -> the name of a tuned model."""


def colon_name(base: str, suffix: str, model_id: str, step: int | None) -> str:
    """``ft:base:organisation:suffix:id``, a checkpoint with its step behind."""
    base = base.split(":")[1] if base.startswith("ft:") else base
    name = f"ft:{base}:sandbox:{suffix}:{model_id}"
    return name if step is None else f"{name}:ckpt-step-{step}"


@dataclass
class StoredFile:
    """An uploaded file, or one that a job produced."""

    id: str
    filename: str
    purpose: str
    content: bytes
    created: float
    expires: float | None = None

    def living(self, now: float) -> bool:
        """Whether its expiry still lies ahead."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True)
class Failure:
    """Why a job failed, in the vendor's terms."""

    code: str
    message: str
    param: str | None


@dataclass
class Job:
    """What was asked for, and what happened to it. Its state follows from this and the time."""

    id: str
    model: str
    method: dict[str, Any]
    training_file: str
    validation_file: str | None
    suffix: str
    seed: int
    integrations: list[dict[str, Any]]
    metadata: dict[str, str] | None
    data: TrainingData
    validates: bool
    failure: Failure | None
    watch: Stopwatch
    model_ids: tuple[str, str, str] = field(
        default_factory=lambda: (new_id("", 8), new_id("", 8), new_id("", 8))
    )
    result_file: str = field(default_factory=lambda: new_id("file-"))
    result_stored: bool = False
    cancelled_at: float | None = None
    notes: list[tuple[float, str]] = field(default_factory=list)
    forced: str | None = None
    naming: Naming = colon_name


@dataclass
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``."""

    files: dict[str, StoredFile] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    deleted_models: set[str] = field(default_factory=set)
    max_file_bytes: int = MAX_FILE_BYTES

    def force_status(self, job_id: str, raw_status: str | None) -> None:
        """Make a job answer with this status, whatever the time; None lets go of it."""
        self.jobs[job_id].forced = raw_status


@dataclass
class Emulator(plumbing.Emulator[Store]):
    """One emulated account, with its names of models."""

    naming: Naming = colon_name
    bases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Base models beside OpenAI's own, and the methods that tune each."""
