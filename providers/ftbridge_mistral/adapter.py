"""Mistral: files, models and answers through ``mistralai`` (3.7.0), jobs through ``httpx``.

SDKs from 2.5.2 on have no jobs (bisected 2026-11-24), so the five routes are spoken here as
2.4.13 spoke them. Never run against the live service: no account was at hand.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.cost.rules import job_minimum
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import UsageError, VendorError
from ftbridge.jobs.sent import fingerprint, not_sent
from ftbridge.jobs.spec import DataRef, JobSpec, Method
from ftbridge.policy import CheckedUpload
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    Check,
    FileState,
    Provider,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
    Sandbox,
)
from ftbridge.vendor_errors import unless_gone
from ftbridge_mistral import access, classifier, uploads, wire
from ftbridge_mistral.convert import FORMAT
from ftbridge_mistral.failures import translated
from ftbridge_mistral.request import CLASSIFIERS, TARGET, create_body, job_type
from ftbridge_mistral.routes import PAGE, JobRoutes

if TYPE_CHECKING:
    from mistralai.client import Mistral

TIMEOUT_SECONDS = 60.0


class MistralProvider(Provider):
    """Mistral's deprecated fine-tuning API: completion and classifier jobs."""

    name = "mistral"
    kind = "managed"
    extra = "mistral"
    sdk = ("mistralai", "httpx")
    folder = Path(__file__).parent
    batch = PAGE
    absent: ClassVar[Mapping[str, str]] = {
        "pause": "Mistral cannot pause a job; --option auto_start=false makes it wait once",
        "delete": "Mistral keeps job records; `ftbridge delete` takes the tuned model",
        "download": "Mistral does not give weights out",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url`` (with or without ``/v1``), else the vendor's own."""
        return access.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of mistral.ai."""
        return access.at_vendor(self.endpoint)

    @property
    def account(self) -> str:
        """A short hash of the key; the address too where it is not the vendor's."""
        return access.account(self.endpoint)

    def resolve_model(self, model: str | None, method: Method) -> str:
        """The catalogue's, but for classifiers, of which only one model makes any."""
        if model is None and self._classifies:
            return CLASSIFIERS[0]
        return super().resolve_model(model, method)

    # -- before the job ----------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """An instruct line, or a classifier's."""
        return (
            classifier.encode(example, self._target) if self._classifies else FORMAT.encode(example)
        )

    def parse(self, line: bytes) -> Example:
        """A line of either shape."""
        return classifier.decode(line) if classifier.is_line(line) else FORMAT.decode(line)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Tokens times epochs, 4 USD at least (mistralai/platform-docs-public, 2026-08-21)."""
        return [*super().billing(spec, tokens), job_minimum()]

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """Each month that the model is kept, and tokens."""
        return [*use.storage(), *use.tokens()]

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create body; the key's mark ends the suffix.

        Raises:
            UsageError: what Mistral does not take; a job type that stands in the settings alone,
                where the job's own record would not have it.
        """
        if self._classifies is not (job_type(spec.options) == "classifier"):
            raise UsageError(
                "option job_type decides what is trained: it belongs to the job",
                hint="give --option job_type=classifier, and leave it out of the settings",
                where="job_type",
            )
        return create_body(spec, training, validation, key)

    def quote(self, spec: JobSpec, files: tuple[str, str | None] | None = None) -> Decimal:
        """A dry run of the create, for a training file that is at Mistral already.

        Raises:
            ProviderError: the file is not there; no price, or none in USD.
        """
        training, validation = files or self._sent(spec)
        body = create_body(spec, training, validation, "")
        with translated():
            return wire.price(self._jobs.dry_run(body))

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """POST /v1/files with purpose ``fine-tune``."""
        with translated():
            return uploads.send(self._client, upload)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """A file of this content's name and size."""
        with translated():
            return uploads.find(self._client, upload.name, upload.bytes)

    def file_state(self, file_id: str) -> FileState:
        """GET /v1/files/{id}: there or not; the job validates it."""
        try:
            with translated():
                found = self._client.files.retrieve(file_id=file_id)
                return FileState(missing=found.deleted, ready=not found.deleted)
        except VendorError as error:
            if error.status == 404:
                return FileState(ready=False, missing=True)
            raise

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """POST /v1/fine_tuning/jobs once: the vendor has no idempotency key."""
        with translated():
            return wire.job(self._jobs.create(request))

    def find(self, key: str) -> RemoteJob | None:
        """The job whose suffix bears the key's mark, by reading the list.

        Raises:
            VendorError: the list does not show whether it is there.
        """
        with translated():
            found = wire.search(self._jobs.listed(), key)
        return None if found is None else self.get(found)

    def get(self, remote_id: str) -> RemoteJob:
        """GET /v1/fine_tuning/jobs/{id}."""
        with translated():
            return wire.job(self._jobs.get(remote_id))

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """From the list where there are several; what it does not tell whole comes singly."""
        wanted = set(remote_ids)
        found: dict[str, RemoteJob] = {}
        if len(wanted) > 3:
            with translated():
                shown = filter(wire.shows, self._jobs.some(wanted))
                found = {data["id"]: wire.job(data) for data in shown}
        return found | {remote_id: self.get(remote_id) for remote_id in wanted - found.keys()}

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """All events; they lie in the job itself."""
        return self.history(remote_id)[0]

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """The losses of the checkpoints."""
        return self.history(remote_id)[1]

    def history(self, remote_id: str) -> tuple[list[RemoteEvent], list[RemoteMetric]]:
        """Both lie in the job itself."""
        with translated():
            data = self._jobs.get(remote_id)
            return wire.events(data), wire.metrics(data)

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """Steps with losses; none can be asked."""
        with translated():
            return wire.checkpoints(self._jobs.get(remote_id))

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST .../cancel."""
        with translated():
            return wire.job(self._jobs.cancel(remote_id))

    def resume(self, remote_id: str) -> RemoteJob:
        """POST .../start, for a job made with ``auto_start=false``."""
        with translated():
            return wire.job(self._jobs.start(remote_id))

    # -- the model ---------------------------------------------------------------------------

    def deploy(self, model: str) -> str:
        """Unarchive the tuned model; it answers by its own name."""
        with translated():
            self._client.models.unarchive(model_id=model)
        return model

    def hosting(self, base: str) -> list[Quantity]:
        """Nothing by the hour: unarchiving starts no machine."""
        return []

    def undeploy(self, model: str) -> None:
        """Archive the tuned model, so that it answers no more."""
        with unless_gone(), translated():
            self._client.models.archive(model_id=model)

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """POST /v1/chat/completions; a tuned classifier is asked for its likeliest label."""
        began = time.monotonic()
        with translated():
            if self._classifies and model.startswith("ft:"):
                asked: Any = {"messages": list(request.messages)}
                scored = self._client.classifiers.classify_chat(model=model, input=asked)
                seconds = time.monotonic() - began
                return classifier.reply(scored.model_dump(mode="json"), self._target, seconds)
            made = self._client.chat.complete(**wire.chat_body(model, request))
            return wire.chat_reply(made.model_dump(mode="json"), time.monotonic() - began)

    def purge(self, file_id: str) -> None:
        """DELETE /v1/files/{id}; one that is gone already is what was wanted."""
        with unless_gone(), translated():
            self._client.files.delete(file_id=file_id)

    def delete_model(self, model: str) -> None:
        """DELETE /v1/models/{id}; likewise."""
        with unless_gone(), translated():
            self._client.models.delete(model_id=model)

    def require_ready(self) -> None:
        """Packages and a key must be there."""
        self.require_installed()
        access.require_key()

    def doctor(self) -> list[Check]:
        """Packages, key, and one harmless call to the deprecated routes."""
        return access.checks(self, "mistralai and httpx are", self._shown)

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder."""
        from ftbridge_mistral.emulator import create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "FTBRIDGE_MISTRAL_BASE_URL": url,
                "MISTRAL_API_KEY": "mistral-sandbox",
                "FTBRIDGE_MISTRAL_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    def _shown(self) -> str:
        with translated():
            self._jobs.page(0, size=1)
        return f"{self.endpoint} lists fine-tuning jobs for this key"

    @property
    def _classifies(self) -> bool:
        return job_type(self.context.options) == "classifier"

    @property
    def _target(self) -> str:
        return self.context.options.get("classifier_target") or TARGET

    def _sent(self, spec: JobSpec) -> tuple[str, str | None]:
        validation = self._found(spec.validation) if spec.validation else None
        return self._found(spec.training), validation

    def _found(self, data: DataRef) -> str:
        with translated():
            found = uploads.find(self._client, *fingerprint(self, data))
        if found is None:
            raise not_sent(self, data)
        return found.id

    @cached_property
    def _jobs(self) -> JobRoutes:
        self.require_ready()
        client = access.raw_client(self.endpoint, self._seconds("timeout_seconds", TIMEOUT_SECONDS))
        weakref.finalize(self, client.close)
        return JobRoutes(client)

    @cached_property
    def _client(self) -> Mistral:
        self.require_ready()
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        return access.sdk_client(self.endpoint, timeout)
