"""The interface that every place that trains implements, and the shapes it speaks in.

A provider is one class in one folder, found by its entry point. It imports its vendor's SDK
only inside methods, knows nothing of the CLI, the ledger or other providers, is safe to call
from threads, and never retries a create by itself. What it cannot do it says once, in
``absent``: operation -> the sentence that the user reads.
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from ftbridge.catalogue import Catalogue
from ftbridge.cost.tokens import Counter
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import NotInstalled, Unsupported, UsageError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.policy import CheckedUpload, Destination
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

CONNECTION_OPTIONS = frozenset({
    "base_url", "settle_seconds", "poll_seconds", "patience_seconds", "stall_seconds",
    "timeout_seconds", "requests_per_second",
})  # fmt: skip
"""Options that say how a provider is reached, not what it does."""


class Provider(ABC):
    """A place that trains. See the module docstring for the rules."""

    name: ClassVar[str]
    kind: ClassVar[Literal["managed", "compute", "local"]]
    extra: ClassVar[str]
    sdk: ClassVar[tuple[str, ...]] = ()
    bills: ClassVar[bool] = True
    leaves: ClassVar[bool] = True
    absent: ClassVar[Mapping[str, str]] = {}
    settle_default: ClassVar[float] = 30.0
    poll_default: ClassVar[float] = 15.0
    patience_default: ClassVar[float] = 60.0
    stall_default: ClassVar[float] = 6 * 3600.0
    rate_default: ClassVar[float] = 10.0
    batch: ClassVar[int] = 1
    """How many jobs one :meth:`get_many` serves well; 1 where the vendor has no such list."""
    folder: ClassVar[Path]

    def __init__(self, context: Context) -> None:
        self.context = context

    # -- facts, without network and without the SDK ------------------------------------------

    @classmethod
    def catalogue(cls) -> Catalogue:
        """What can be tuned here, from ``catalogue.toml`` in the provider's folder."""
        return _catalogue(cls.folder)

    @classmethod
    def missing(cls) -> list[str]:
        """The packages of the provider's extra that are not installed."""
        return [name for name in cls.sdk if not _installed(name)]

    @classmethod
    def require_installed(cls) -> None:
        """Raise NotInstalled, with the pip line, where the extra is missing."""
        missing = cls.missing()
        if missing:
            raise NotInstalled(
                f"{cls.name} needs {', '.join(missing)}, which is not installed",
                hint=cls.install_hint(),
            )

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

    @classmethod
    def install_hint(cls) -> str:
        """The command that installs what this provider needs."""
        return f"pip install 'ftbridge[{cls.extra}]'"

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
    def settle_seconds(self) -> float:
        """How long the vendor's lists may lag behind a create."""
        return self._seconds("settle_seconds", self.settle_default)

    @property
    def poll_seconds(self) -> float:
        """The usual pause between two looks at a job."""
        return self._seconds("poll_seconds", self.poll_default)

    @property
    def patience_seconds(self) -> float:
        """How long one call that is safe to repeat is retried in all."""
        return self._seconds("patience_seconds", self.patience_default)

    @property
    def stall_seconds(self) -> float:
        """How long nothing may happen to a job before that is worth a warning."""
        return self._seconds("stall_seconds", self.stall_default)

    @property
    def requests_per_second(self) -> float:
        """How often the watcher may ask."""
        return self._seconds("requests_per_second", self.rate_default)

    def _seconds(self, option: str, default: float) -> float:
        text = self.context.options.get(option)
        try:
            value = default if text is None else float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise UsageError(f"option {option}: `{text}` is no number of 0 or more", where=option)
        return value

    @property
    def kept(self) -> dict[str, str]:
        """Options beside the address without which a later command would not find its job."""
        return {}

    @property
    def destination(self) -> Destination:
        """Where data would go, as the policy asks."""
        return Destination(self.name, self.account, self.region, self.endpoint, self.leaves)

    # -- before the job: pure ----------------------------------------------------------------

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

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """Ask a base or tuned model."""
        raise self.unsupported("chat")

    def chat_many(
        self,
        model: str,
        requests: Sequence[ChatRequest],
        on_reply: Callable[[int, ChatReply], None],
        workers: int = 8,
    ) -> None:
        """Ask many prompts; ``on_reply(index, reply)`` comes as each is answered, in any order.

        After a failure no more are asked, and what was answered by then still comes.
        """
        with ThreadPoolExecutor(workers) as pool:
            asked = {pool.submit(self.chat, model, r): index for index, r in enumerate(requests)}
            failed: BaseException | None = None
            try:
                for future in as_completed(asked):
                    if future.cancelled():
                        continue
                    if error := future.exception():
                        failed = failed or error
                        for other in asked:  # left in the queue, whose workers tell of it
                            other.cancel()
                    else:
                        on_reply(asked[future], future.result())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        if failed:
            raise failed

    def model_version(self, model: str) -> str:
        """What tells two contents under one name apart; vendors' names never change content."""
        return ""

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

    def chat_stream(self, model: str, request: ChatRequest) -> Iterator[str]:
        """The answer in pieces; by default in one."""
        yield self.chat(model, request).text

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """Bring the weights to a local folder, as an adapter or merged into the base."""
        raise self.unsupported("download")

    def purge(self, file_id: str) -> None:
        """Delete an uploaded training file at the vendor."""
        raise self.unsupported("purge")

    def deploy(self, model: str) -> str:
        """Make the tuned model answer; returns the name to ask for.

        Asked again for a model that is deployed already, it makes no second deployment: the
        name follows from the model, or the deployment is looked for first.
        """
        raise self.unsupported("deploy")

    def hosting(self, base: str) -> list[Quantity]:
        """What one hour of a deployment bills, of a model tuned from ``base``; empty: nothing.

        The common rule: one hour at the price of the item ``hosting_hour``.
        """
        hour = Decimal(1)
        return [
            Quantity(
                name="hosting", item="hosting_hour", low=hour, high=hour, formula="1 hour",
                training=False,
            )
        ]  # fmt: skip

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """What the tuned model bills over a horizon of use.

        The common rule: each hour of its deployment, where it needs one, and every token.
        """
        hour = self.hosting(spec.model) if self.supports("deploy") else []
        return [*use.hosting(hour), *use.tokens()]

    def undeploy(self, model: str) -> None:
        """Stop a deployment and its bill; the model stays, and can be deployed again.

        A deployment that is gone already is what was wanted.
        """
        raise self.unsupported("undeploy")

    def delete_model(self, model: str) -> None:
        """Delete the tuned model at the vendor for good; the job's record is left.

        A model that is gone already is what was wanted.
        """
        raise self.unsupported("delete_model")

    def quote(self, spec: JobSpec) -> Decimal:
        """The vendor's own price for the job in USD, before it is created."""
        raise self.unsupported("quote")

    @abstractmethod
    def doctor(self) -> list[Check]:
        """Whether this would work: packages, credentials, access; in words, nothing secret."""

    def unsupported(self, operation: str) -> Unsupported:
        """The error for an operation that this provider lacks."""
        sentence = self.absent.get(operation, f"{self.name} has no {operation}")
        return Unsupported(sentence, where=operation)

    @classmethod
    def supports(cls, operation: str) -> bool:
        """Whether the operation exists here."""
        return operation not in cls.absent


@cache
def _catalogue(folder: Path) -> Catalogue:
    return Catalogue.load(folder / "catalogue.toml")


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False


def _span(tokens: TokenCount) -> str:
    if tokens.low == tokens.high:
        return f"{tokens.low:,}"
    return f"{tokens.low:,} to {tokens.high:,}"
