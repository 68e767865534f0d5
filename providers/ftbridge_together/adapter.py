"""Together through its SDK (``together`` 3.1.1): SFT and DPO, LoRA and full training.

Jobs are created with the SDK's client, but not with its ``fine_tuning.create()``: see
``request.py``. Never run against the live service: no account was at hand.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import VendorError
from ftbridge.jobs.sent import fingerprint, not_sent
from ftbridge.jobs.spec import DataRef, JobSpec
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
from ftbridge_together import access, costs, limits, uploads, weights, wire
from ftbridge_together.convert import FORMAT
from ftbridge_together.failures import translated
from ftbridge_together.request import create_body

if TYPE_CHECKING:
    from together import Together

TIMEOUT_SECONDS = 60.0


class TogetherProvider(Provider):
    """Together's fine-tuning API."""

    name = "together"
    kind = "managed"
    extra = "together"
    sdk = ("together", "zstandard")
    folder = Path(__file__).parent
    batch = 1000
    absent: ClassVar[Mapping[str, str]] = {
        "pause": "Together cannot pause a job; cancel it, and go on from its last checkpoint with "
        "--option from_checkpoint=ID",
        "resume": "Together cannot resume a job; go on with --option from_checkpoint=ID",
        "deploy": "Together serves tuned models on dedicated endpoints of a project, which are "
        "made in its console or CLI; chat with one by --option endpoint=NAME",
        "undeploy": "Together's dedicated endpoints are stopped in its console or CLI",
        "delete_model": "Together's tuned models belong to a project and are deleted in its "
        "console or CLI",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``TOGETHER_BASE_URL``, else the vendor's own."""
        return access.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of Together's, under either of its names."""
        return access.at_vendor(self.endpoint)

    @property
    def account(self) -> str:
        """A short hash of the key; the address too where it is not the vendor's."""
        return access.account(self.endpoint)

    # -- before the job ----------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """A conversation, preference or text line."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """Any of Together's four shapes."""
        return FORMAT.decode(line)

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create body; the key's mark ends the suffix."""
        return create_body(spec, training, validation, key)

    def explain(self, spec: JobSpec) -> list[str]:
        """What is left to the day of the create, and what the answer will need."""
        return costs.warnings(spec)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Training and evaluation tokens, priced by training type; an endpoint to ask it."""
        row = self.catalogue().model(spec.model)
        context = row.context if row else None
        return costs.quantities(spec, super().billing(spec, tokens), tokens, context)

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """Every hour of a dedicated endpoint, at a price shown live alone; no tokens apart."""
        return use.hosting([costs.ENDPOINT])

    def hosting(self, base: str) -> list[Quantity]:
        """One hour of a dedicated endpoint."""
        return [costs.ENDPOINT]

    def preflight(self, spec: JobSpec) -> None:
        """Ask for the model's limits, and refuse what is outside them."""
        body = create_body(spec, "", None, "")
        limits.require(body, spec.model, self.model_limits(body.get("from_checkpoint", spec.model)))

    def model_limits(self, model: str) -> Mapping[str, Any]:
        """GET /v1/fine-tunes/models/limits, for a model or a checkpoint's job."""
        with translated():
            name = model.split(":")[0]
            return self._client.fine_tuning.model_limits(model_name=name).to_dict()

    def quote(self, spec: JobSpec, files: tuple[str, str | None] | None = None) -> Decimal:
        """POST /v1/fine-tunes/estimate-price, for a training file that is at Together already.

        Raises:
            ProviderError: the file is not there, or not validated yet; what the vendor says.
        """
        training, validation = files or self._sent(spec)
        body = create_body(spec, training, validation, "")
        body = self._complete(body, spec.model)
        with translated():
            made = self._client.fine_tuning.estimate_price(**costs.question(body)).to_dict()
            return costs.answer(made)

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """POST /v1/files, PUT to the address that it gives, POST .../preprocess."""
        with translated():
            return uploads.send(self._client, upload)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """A file of this content's name and size whose upload was finished."""
        with translated():
            return uploads.find(self._client, upload.name, upload.bytes)

    def file_state(self, file_id: str) -> FileState:
        """GET /v1/files/{id}; it is validated after the upload."""
        try:
            with translated():
                return wire.file_state(self._client.files.retrieve(file_id).to_dict())
        except VendorError as error:
            if error.status == 404:
                return FileState(ready=False, missing=True)
            raise

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """POST /v1/fine-tunes once: the vendor has no idempotency key."""
        from together.types import FineTuningCancelResponse  # the truncated job, all three alike

        body = self._complete(request, str(request.get("model") or request["from_checkpoint"]))
        with translated():
            made = self._client.post("/v1/fine-tunes", body=body, cast_to=FineTuningCancelResponse)
            return wire.job(made.to_dict(mode="json"))

    def find(self, key: str) -> RemoteJob | None:
        """The job whose suffix or model name bears the key's mark, by reading the list.

        Raises:
            VendorError: the list does not show whether it is there.
        """
        with translated():
            found = wire.search(self._jobs(), key)
        return None if found is None else self.get(found)

    def get(self, remote_id: str) -> RemoteJob:
        """GET /v1/fine-tunes/{id}."""
        with translated():
            found = self._client.fine_tuning.retrieve(remote_id)
            return wire.job(found.to_dict(mode="json"))

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """GET /v1/fine-tunes, which has no pages; why one failed stands in its own answer alone."""
        wanted = set(remote_ids)
        found: dict[str, RemoteJob] = {}
        if len(wanted) > 3:
            with translated():
                jobs = [wire.job(data) for data in self._jobs() if data["id"] in wanted]
            found = {job.id: job for job in jobs if job.error is None}
        return found | {remote_id: self.get(remote_id) for remote_id in wanted - found.keys()}

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """GET .../events: all of them; the vendor has no filter."""
        with translated():
            listed: Any = self._client.fine_tuning.list_events(remote_id).to_dict()
            return wire.events(listed["data"])

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """GET .../metrics: all of them."""
        with translated():
            return wire.metrics(self._client.fine_tuning.list_metrics(remote_id).metrics or [])

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """GET .../checkpoints."""
        with translated():
            listed: Any = self._client.fine_tuning.list_checkpoints(remote_id).to_dict()
            return wire.checkpoints(remote_id, listed["data"])

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST .../cancel: ``cancel_requested`` now, ``cancelled`` later."""
        with translated():
            return wire.job(self._client.fine_tuning.cancel(remote_id).to_dict(mode="json"))

    def delete(self, remote_id: str) -> None:
        """DELETE /v1/fine-tunes/{id}."""
        with unless_gone(), translated():
            self._client.fine_tuning.delete(remote_id)

    # -- the model ---------------------------------------------------------------------------

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """POST /v1/chat/completions; a tuned model by option ``endpoint``, where that is set."""
        tuned = self.catalogue().model(model) is None
        name = (self.context.options.get("endpoint") if tuned else None) or model
        began = time.monotonic()
        with translated():
            made = self._client.chat.completions.create(**wire.chat_body(name, request))
            return wire.chat_reply(made.to_dict(), time.monotonic() - began)

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """GET /v1/finetune/download: the adapter, or the whole model if merged or trained full."""
        weights.require_new(out)
        with translated():
            return weights.fetch(self._client, remote_id, out, merged)

    def purge(self, file_id: str) -> None:
        """DELETE /v1/files/{id}; one that is gone already is what was wanted."""
        with unless_gone(), translated():
            self._client.files.delete(file_id)

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages and a key must be there."""
        self.require_installed()
        access.require_key()

    def doctor(self) -> list[Check]:
        """Packages, key, and one harmless call."""
        return access.checks(self, "together is", self._shown)

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder."""
        from ftbridge_together.emulator import create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "TOGETHER_BASE_URL": url,
                "TOGETHER_API_KEY": "together-sandbox",
                "FTBRIDGE_TOGETHER_SETTLE_SECONDS": "2",
                "FTBRIDGE_TOGETHER_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    def _shown(self) -> str:
        model = self.catalogue().models[0].model
        self.model_limits(model)
        return f"{self.endpoint} tells the limits of {model}"

    def _complete(self, body: Mapping[str, Any], model: str) -> dict[str, Any]:
        return limits.complete(body, self.model_limits(model) if limits.lacks_rank(body) else None)

    def _jobs(self) -> list[dict[str, Any]]:
        listed: Any = self._client.fine_tuning.list().to_dict(mode="json")
        return list(listed["data"])

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
    def _client(self) -> Together:
        self.require_ready()
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        client = access.connect(self.endpoint, timeout)
        weakref.finalize(self, client.close)  # or its sockets stay open until the process ends
        return client
