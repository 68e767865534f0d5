"""What the emulator remembers, open to tests: jobs, models, deployments, and every request."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from ftbridge.testing import plumbing
from ftbridge.testing.plumbing import Memory
from ftbridge.testing.timeline import Stopwatch

from .bases import Base
from .bucket import Bucket
from .data import TrainingData

ACCOUNT = "123456789012"
REGION = "us-east-1"
_LETTERS = string.ascii_lowercase + string.digits


def new_id() -> str:
    """Twelve letters and digits. Random, since a client's ledger outlives a sandbox."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


def stamp(moment: float) -> str:
    """A time as rest-json writes it (ISO 8601)."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Job:
    """A customization job. Its state follows from this and the time."""

    id: str
    arn: str
    model_arn: str
    body: dict[str, Any]
    base: Base
    data: TrainingData
    failure: str | None
    watch: Stopwatch
    stopped_at: float | None = None
    metrics_written: bool = False
    forced: str | None = None

    @property
    def kind(self) -> str:
        """The customization type; supervised fine-tuning where none is asked for."""
        return str(self.body.get("customizationType", "FINE_TUNING"))


@dataclass
class Deployment:
    """On-demand inference of a custom model."""

    arn: str
    body: dict[str, Any]
    model_arn: str
    created: float
    changed: float


@dataclass
class Throughput:
    """Provisioned throughput, by model units and the hour."""

    arn: str
    body: dict[str, Any]
    model_arn: str
    created: float


@dataclass
class Import:
    """An import job and the model that comes of it."""

    arn: str
    model_arn: str
    body: dict[str, Any]
    created: float
    failure: str | None
    architecture: str
    deleted: bool = False


@dataclass(kw_only=True)
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``."""

    bucket: Bucket
    region: str = REGION
    jobs: dict[str, Job] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    throughputs: dict[str, Throughput] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    deleted_models: set[str] = field(default_factory=set)
    tags: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[dict[str, Any], str]] = field(default_factory=dict)
    lifecycles: dict[str, dict[str, str]] = field(default_factory=dict)
    """Life cycles that a test sets: model id -> ``status``, ``endOfLifeTime`` ..."""

    def arn(self, kind: str, tail: str = "") -> str:
        """A new ARN of this account."""
        return f"arn:aws:bedrock:{self.region}:{ACCOUNT}:{kind}/{tail}{new_id()}"

    def job(self, identifier: str) -> Job:
        """A job by ARN, name or id."""
        return next(
            job
            for job in self.jobs.values()
            if identifier in (job.arn, job.id, job.body["jobName"])
        )

    def force_status(self, identifier: str, raw_status: str | None) -> None:
        """Make a job answer with this status, whatever the time; None lets go of it."""
        self.job(identifier).forced = raw_status


Emulator: TypeAlias = plumbing.Emulator[Store]
