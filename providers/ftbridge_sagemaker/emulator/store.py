"""What the emulator remembers, open to tests: jobs, packages, models, endpoints, every request."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ftbridge.testing import plumbing
from ftbridge.testing.likeness import Learned
from ftbridge.testing.plumbing import Memory
from ftbridge.testing.rented import Hub

from .bucket import Bucket

if TYPE_CHECKING:
    from .machine import Run

ACCOUNT = "123456789012"
REGION = "us-east-1"
FINAL = frozenset({"Completed", "Failed", "Stopped"})


@dataclass
class Transition:
    """A secondary status and since when it has held."""

    status: str
    start: float
    message: str


@dataclass
class TrainingJob:
    """A training job: what was asked, and what has come of it.

    A serverless job follows the clock (``advance``); a classic one is moved by its machine.
    """

    arn: str
    body: dict[str, Any]
    created: float
    transitions: list[Transition]
    status: str = "InProgress"
    failure: str | None = None
    started: float | None = None
    ended: float | None = None
    forced: tuple[str, str] | None = None
    """Status and secondary status that a test forces."""
    run: Run | None = None
    plan: list[Transition] = field(default_factory=list)
    """Serverless: what is still to come."""
    pairs: Learned[str] = field(default_factory=Learned)
    tokens: int = 0
    package: str | None = None
    billed_seconds: float = 0.0
    interruptions: int = 0

    @property
    def name(self) -> str:
        """The job's name, which is its key."""
        return str(self.body["TrainingJobName"])

    @property
    def serverless(self) -> bool:
        """Whether SageMaker trains by itself."""
        return "ServerlessJobConfig" in self.body

    @property
    def secondary(self) -> str:
        """The secondary status."""
        return self.transitions[-1].status

    @property
    def output(self) -> str:
        """Where its model artifacts go."""
        path = self.body["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        tail = "model" if self._uncompressed else "model.tar.gz"
        return f"{path}/{self.name}/output/{tail}"

    @property
    def _uncompressed(self) -> bool:
        asked = self.body["OutputDataConfig"].get("CompressionType")
        return self.serverless or asked == "NONE"

    def move(self, status: str, secondary: str, now: float, message: str = "") -> None:
        """Go on to a state."""
        self.status = status
        self.transitions.append(Transition(secondary, now, message or secondary))
        if status in FINAL:
            self.ended = now


@dataclass
class Package:
    """A version in a model package group."""

    arn: str
    group: str
    version: int
    job: TrainingJob
    created: float


@dataclass
class Thing:
    """A package group, a model, an endpoint configuration or an endpoint."""

    arn: str
    body: dict[str, Any]
    created: float


@dataclass(kw_only=True)
class Store(Memory):
    """Everything the emulator knows; ``app.state.store``."""

    bucket: Bucket
    region: str = REGION
    jobs: dict[str, TrainingJob] = field(default_factory=dict)
    groups: dict[str, Thing] = field(default_factory=dict)
    packages: dict[str, Package] = field(default_factory=dict)
    models: dict[str, Thing] = field(default_factory=dict)
    configs: dict[str, Thing] = field(default_factory=dict)
    endpoints: dict[str, Thing] = field(default_factory=dict)
    models_missing_as_modelled: bool = False
    """Answer ResourceNotFound where the service answers ValidationException: both must be met."""
    rents: bool = True
    """Whether classic jobs really run; else they stay in ``Starting``."""
    interrupts: Callable[[TrainingJob, list[str]], bool] = lambda job, names: False
    """Whether a spot job loses its machine now, asked as its checkpoints are copied out."""

    def __post_init__(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="sagemaker-"))
        """Where machines have their disks; gone with the store."""
        weakref.finalize(self, shutil.rmtree, self.work, ignore_errors=True)
        self.hub = Hub(self.work / "hub")

    def arn(self, kind: str, name: str) -> str:
        """An ARN of this account."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:{kind}/{name}"

    def force_status(self, name: str, status: str | None, secondary: str = "Training") -> None:
        """Make a job answer with this status, whatever happens; None lets go of it."""
        self.jobs[name].forced = None if status is None else (status, secondary)

    def hold(self) -> None:
        """Let classic jobs wait from now on: see ``rents``."""
        self.rents = False

    def close(self) -> None:
        """Switch all machines off."""
        for job in self.jobs.values():
            if job.run is not None:
                job.run.kill()


Emulator: TypeAlias = plumbing.Emulator[Store]
