"""The interface that every place that trains implements, and the shapes it speaks in.

A provider is one class in one folder, found by its entry point. It imports its vendor's SDK
only inside methods, knows nothing of the CLI, the ledger or other providers, is safe to call
from threads, and never retries a create by itself. What it cannot do it says once, in
``absent``: operation -> the sentence that the user reads.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from ftbridge.catalogue import Catalogue
from ftbridge.cost.tokens import Counter
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example, Kind
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.policy import CheckedUpload, Destination
from ftbridge.provider_base import CONNECTION_OPTIONS
from ftbridge.provider_models import ModelOperations
from ftbridge.shapes import (
    ChatReply,
    ChatRequest,
    Check,
    Context,
    FileState,
    Message,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
    Sandbox,
    Setting,
)

__all__ = [
    "CONNECTION_OPTIONS",
    "OPERATIONS",
    "ChatReply",
    "ChatRequest",
    "Check",
    "Context",
    "FileState",
    "Message",
    "Provider",
    "RemoteCheckpoint",
    "RemoteEvent",
    "RemoteFile",
    "RemoteJob",
    "RemoteMetric",
    "Sandbox",
    "Setting",
]

OPERATIONS = (
    "find", "find_upload", "cancel", "pause", "resume", "delete", "events", "metrics",
    "checkpoints", "quote", "deploy", "undeploy", "delete_model", "chat", "download", "purge",
)  # fmt: skip
"""What a provider may lack. Each is either implemented or named in ``absent``, never both."""


class Provider(ModelOperations):
    """A place that trains. See the module docstring for the rules."""

    kind: ClassVar[Literal["managed", "compute", "local"]]
    bills: ClassVar[bool] = True
    leaves: ClassVar[bool] = True
    batch: ClassVar[int] = 1
    """How many jobs one :meth:`get_many` serves well; 1 where the vendor has no such list."""
    folder: ClassVar[Path]
    """Where its facts lie: catalogue and prices."""
    shared: ClassVar[Path | None] = None
    """Where README and errors lie, of a folder that registers two names; None: ``folder`` too."""

    # -- facts, without network and without the SDK ------------------------------------------

    @classmethod
    def catalogue(cls) -> Catalogue:
        """What can be tuned here, from ``catalogue.toml`` in the provider's folder."""
        return _catalogue(cls.folder)

    @classmethod
    def home(cls) -> Path:
        """The folder with README and ``errors.toml``."""
        return cls.shared or cls.folder

    def require_ready(self) -> None:
        """Raise NotInstalled or CredentialsError where a job could not even be tried.

        Opens no connection; whether the credentials are good is ``doctor``'s question.
        """
        self.require_installed()

    def preflight(self, spec: JobSpec) -> None:
        """Ask the vendor what it alone knows, and refuse what it would refuse later.

        Called once before a new job is written down or a byte is sent; by default nothing is
        asked.

        Raises:
            UsageError, Unsupported: the vendor's own limits of this day forbid it.
            ProviderError: it could not be asked, or said no.
        """
        return None

    def tunable_today(self, maker: str) -> list[Check]:
        """What the vendor says now of each model of a maker that it tunes: whether it lives.

        Empty where it has no such question, or where nobody is signed in to ask it.
        """
        return []

    @property
    @abstractmethod
    def endpoint(self) -> str:
        """The address that data would be sent to."""

    @property
    @abstractmethod
    def at_vendor(self) -> bool:
        """Whether that is the vendor's own address (not a sandbox, proxy or other server)."""

    @property
    @abstractmethod
    def account(self) -> str:
        """A stable name of the account, free of secrets and of network calls."""

    @property
    def region(self) -> str | None:
        """The region that jobs run in, where there is one."""
        return None

    @property
    def kept(self) -> dict[str, str]:
        """Options beside the address without which a later command would not find its job."""
        return {}

    @property
    def destination(self) -> Destination:
        """Where data would go, as the policy asks."""
        return Destination(self.name, self.account, self.region, self.endpoint, self.leaves)

    # -- before the job: pure ----------------------------------------------------------------

    def suited(self, spec: JobSpec) -> Provider:
        """This place for one spec: where the format of a line depends on what is trained, one
        that writes it. By default itself. Asked before the data are read, so that the spec knows
        neither their kind nor their size."""
        return self

    def rules(self, kind: Kind) -> str:
        """Under which name the rules of such lines are kept: a provider's, or one format's."""
        return self.name

    @abstractmethod
    def convert(self, example: Example) -> Converted:
        """An example in the vendor's own format. Never drops an example."""

    @abstractmethod
    def parse(self, line: bytes) -> Example:
        """The inverse of ``convert``. Raises DataError on a line that is not its format."""

    @abstractmethod
    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create request for these remote file ids; unset fields are left out."""

    def resolve_model(self, model: str | None, method: Method) -> str:
        """The model id to ask for, where the user named none or a family."""
        catalogue = self.catalogue()
        if model is None:
            return catalogue.default_model(method)
        row = catalogue.model(model)
        return row.model if row else model

    def explain(self, spec: JobSpec) -> list[str]:
        """Warnings about this spec here, for people."""
        return []

    def epochs(self, spec: JobSpec) -> tuple[int, str]:
        """How many epochs a job runs where none were asked for, and what that rests on."""
        auto = self.catalogue().auto_epochs
        if auto is None:
            return 1, f"n_epochs is left to {self.name}; 1 assumed; fix it with --n-epochs"
        assumed = auto.epochs(spec.training.examples)
        return assumed, (
            f"n_epochs is left to {self.name}; {assumed} assumed ({auto.source}, {auto.as_of}); "
            "fix it with --n-epochs"
        )

    def settings(self, spec: JobSpec) -> dict[str, Setting]:
        """Every hyperparameter with where its value comes from."""
        given = spec.hyperparameters.given()
        left = Setting(None, f"left to {self.name}")
        names = self.catalogue().hyperparameters.get(spec.method, {})
        return {name: Setting(given[name], "given") if name in given else left for name in names}

    def decided(self, remote_id: str) -> dict[str, Setting]:
        """What a begun job has settled on, each value with its origin; {} where it is not told."""
        return {}

    def counter(self, model: str) -> Counter | None:
        """A counter of an example's tokens that the provider has itself, or None."""
        return None

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """What is billed for a job. The common rule: training tokens times epochs."""
        million = Decimal(1_000_000)
        return [
            Quantity(
                name="training",
                item="training_tokens",
                low=tokens.billed_low / million,
                high=tokens.billed_high / million,
                formula=f"{_span(tokens)} tokens x {tokens.n_epochs} epochs",
            )
        ]

    def prices_after_create(self, spec: JobSpec) -> bool:
        """Whether a job of this kind shows the vendor's own price once it is made (as
        ``estimated_usd``), so that it is worth waiting for."""
        return False

    # -- the job -----------------------------------------------------------------------------

    @abstractmethod
    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """Send a checked file and return its remote name."""

    @abstractmethod
    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """Start the job. Called once a key unless ``find`` showed that none exists.

        Raises:
            NetworkError: where the outcome is not known.
            VendorError: where the vendor refused.
        """

    @abstractmethod
    def get(self, remote_id: str) -> RemoteJob:
        """The job as it is now."""

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """Several jobs as they are now, by id, with fewer calls where the vendor has a list."""
        return {remote_id: self.get(remote_id) for remote_id in remote_ids}

    def file_state(self, file_id: str) -> FileState:
        """Whether an uploaded file is still there and can be trained on."""
        return FileState()

    def find(self, key: str) -> RemoteJob | None:
        """The job that carries this key, if the vendor shows one."""
        raise self.unsupported("find")

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """A file that an earlier try has uploaded already, if the vendor shows one."""
        raise self.unsupported("find_upload")

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """What happened, oldest first; ``since`` (RFC 3339) may be used to fetch less."""
        raise self.unsupported("events")

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """The measured values so far."""
        raise self.unsupported("metrics")

    def history(self, remote_id: str) -> tuple[list[RemoteEvent], list[RemoteMetric]]:
        """Events and metrics together, in one call where they come from one place."""
        return (
            self.events(remote_id) if self.supports("events") else [],
            self.metrics(remote_id) if self.supports("metrics") else [],
        )

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """The checkpoints so far."""
        raise self.unsupported("checkpoints")

    def cancel(self, remote_id: str) -> RemoteJob:
        """Ask the job to stop for good."""
        raise self.unsupported("cancel")

    def pause(self, remote_id: str) -> RemoteJob:
        """Ask the job to stop so that it can go on."""
        raise self.unsupported("pause")

    def resume(self, remote_id: str) -> RemoteJob:
        """Let a paused (or, locally, dead) job go on."""
        raise self.unsupported("resume")

    def delete(self, remote_id: str) -> None:
        """Remove the job's record at the vendor. Its model and its files are left.

        A record that is gone already is what was wanted.
        """
        raise self.unsupported("delete")

    # -- the model ---------------------------------------------------------------------------

    def fetch_model(self, name: str, say: Callable[[str], None]) -> Path:
        """Bring a base model onto this machine, where that means anything."""
        raise self.unsupported("fetch_model")

    def write_gguf(self, folder: Path, out: Path, kind: str) -> float:
        """Write a merged model's folder as one GGUF file, where this machine can.

        Args:
            kind: ``f32``, ``f16``, ``bf16`` or ``q8_0``.

        Returns:
            How far the file's logits are from the folder's, as a share of the largest.
        """
        raise self.unsupported("write_gguf")

    def calibrate(self) -> None:
        """Measure the speed of a machine of ours; a vendor's is its own affair."""
        return None

    @classmethod
    def sandbox(cls) -> Sandbox | None:
        """The vendor's emulator, where there is one."""
        return None

    def purge(self, file_id: str) -> None:
        """Delete an uploaded training file at the vendor."""
        raise self.unsupported("purge")

    def quote(self, spec: JobSpec, files: tuple[str, str | None] | None = None) -> Decimal:
        """The vendor's own price for the job in USD, before it is created.

        Args:
            files: the remote ids of training and validation, where they are known; else the
                provider looks for what an earlier submit has uploaded.
        """
        raise self.unsupported("quote")

    @abstractmethod
    def doctor(self) -> list[Check]:
        """Whether this would work: packages, credentials, access; in words, nothing secret."""


@cache
def _catalogue(folder: Path) -> Catalogue:
    return Catalogue.load(folder / "catalogue.toml")


def _span(tokens: TokenCount) -> str:
    if tokens.low == tokens.high:
        return f"{tokens.low:,}"
    return f"{tokens.low:,} to {tokens.high:,}"
