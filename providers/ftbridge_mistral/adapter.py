"""Mistral: files, models and chat through ``mistralai`` (3.7.0), jobs through ``httpx``.

SDKs from 2.5.2 on have no jobs (bisected 2026-11-24), so the five routes are spoken here as
2.4.13 spoke them. Never run against the live service: no account was at hand.
"""

from __future__ import annotations

import hashlib
import os
import time
import weakref
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ftbridge.cost.rules import job_minimum
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import CredentialsError, ProviderError, UsageError, VendorError
from ftbridge.jobs.spec import JobSpec
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
from ftbridge_mistral import wire
from ftbridge_mistral.convert import FORMAT
from ftbridge_mistral.failures import refusal, translated

if TYPE_CHECKING:
    import httpx
    from mistralai.client import Mistral

BASE_URL = "https://api.mistral.ai"
TIMEOUT_SECONDS, PAGE = 60.0, 100
JOBS = "/v1/fine_tuning/jobs"


class MistralProvider(Provider):
    """Mistral's deprecated fine-tuning API (completion jobs)."""

    name = "mistral"
    kind = "managed"
    extra = "mistral"
    sdk = ("mistralai", "httpx")
    folder = Path(__file__).parent
    batch = PAGE
    absent: ClassVar[Mapping[str, str]] = {
        "find": "Mistral's jobs carry no key of ours; a lost create is for `ftbridge resolve`",
        "pause": "Mistral cannot pause a job; --option auto_start=false makes it wait once",
        "delete": "Mistral keeps job records; `ftbridge delete` takes the tuned model",
        "quote": "Mistral gives no price before a job; see `ftbridge compare`",
        "download": "Mistral does not give weights out",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url`` (with or without ``/v1``), else the vendor's own."""
        return self.context.options.get("base_url") or BASE_URL

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of mistral.ai."""
        host = urlsplit(self.endpoint).hostname or ""
        return host == "mistral.ai" or host.endswith(".mistral.ai")

    @property
    def account(self) -> str:
        """A short hash of the key; the address too where it is not the vendor's."""
        key = os.environ.get("MISTRAL_API_KEY", "")
        hashed = f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-key"
        return hashed if self.at_vendor else f"{hashed}@{self.endpoint}"

    # -- before the job ----------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """An instruct line."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """A Mistral instruct line."""
        return FORMAT.decode(line)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Tokens times epochs, 4 USD at least (mistralai/platform-docs-public, 2026-08-21)."""
        return [*super().billing(spec, tokens), job_minimum()]

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """Each month that the model is kept, and tokens."""
        return [*use.storage(), *use.tokens()]

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create body; the key has no place in it."""
        unknown = sorted(spec.options.keys() - wire.OPTIONS)
        if unknown:
            takes = ", ".join(sorted(wire.OPTIONS))
            raise UsageError(
                f"mistral takes no option {', '.join(unknown)}",
                hint=f"it takes: {takes}",
                where="option",
            )
        if spec.seed is not None:
            raise UsageError("mistral takes no seed", hint="leave --seed out", where="seed")
        return wire.create_body(spec, training, validation)

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """POST /v1/files with purpose ``fine-tune``."""
        with translated(), upload.open() as stream:
            file: Any = {"file_name": upload.name, "content": stream}
            made = self._client.files.upload(file=file, purpose="fine-tune")
            return wire.file(made.id, made.size_bytes, made)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """A file of this content's name and size."""
        page = 0
        while True:
            with translated():
                listed = self._client.files.list(page=page, page_size=PAGE, purpose="fine-tune")
                for item in listed.data:
                    if item.filename == upload.name and item.size_bytes == upload.bytes:
                        return wire.file(item.id, item.size_bytes, item)
            if len(listed.data) < PAGE:
                return None
            page += 1

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
        return self._job("POST", JOBS, dict(request))

    def get(self, remote_id: str) -> RemoteJob:
        """GET /v1/fine_tuning/jobs/{id}."""
        return self._job("GET", f"{JOBS}/{remote_id}")

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """Pages of the list, until all are found or it is clearly too long; the rest singly."""
        wanted = set(remote_ids)
        found: dict[str, RemoteJob] = {}
        for page in range(3 + len(wanted) // PAGE if len(wanted) > 3 else 0):
            with translated():
                listed = self._call("GET", f"{JOBS}?page={page}&page_size={PAGE}")["data"]
                found |= {d["id"]: wire.job(d) for d in listed if wire.shows(d, wanted)}
            if len(found) == len(wanted) or len(listed) < PAGE:
                break
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
            data = self._call("GET", f"{JOBS}/{remote_id}")
            return wire.events(data), wire.metrics(data)

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """Steps with losses; none can be asked."""
        with translated():
            return wire.checkpoints(self._call("GET", f"{JOBS}/{remote_id}"))

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST .../cancel."""
        return self._job("POST", f"{JOBS}/{remote_id}/cancel")

    def resume(self, remote_id: str) -> RemoteJob:
        """POST .../start, for a job made with ``auto_start=false``."""
        return self._job("POST", f"{JOBS}/{remote_id}/start")

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
        """POST /v1/chat/completions."""
        began = time.monotonic()
        with translated():
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
        if not os.environ.get("MISTRAL_API_KEY"):
            raise CredentialsError(
                "no Mistral key",
                hint="set MISTRAL_API_KEY, or rehearse: `ftbridge sandbox mistral`",
                where="MISTRAL_API_KEY",
            )

    def doctor(self) -> list[Check]:
        """Packages, key, and one harmless call to the deprecated routes."""
        missing, key = self.missing(), os.environ.get("MISTRAL_API_KEY", "")
        checks = [
            Check("package", not missing, f"missing: {', '.join(missing)}" if missing
                  else "mistralai and httpx are installed", self.install_hint() if missing else ""),
            Check("key", bool(key), f"MISTRAL_API_KEY is {'set' if key else 'not set'}",
                  "" if key else "set MISTRAL_API_KEY"),
        ]  # fmt: skip
        return checks if missing or not key else [*checks, self._access()]

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

    def _access(self) -> Check:
        try:
            with translated():
                self._call("GET", f"{JOBS}?page=0&page_size=1")
        except ProviderError as error:
            return Check("access", False, error.message, error.hint)
        return Check("access", True, f"{self.endpoint} lists fine-tuning jobs for this key")

    def _job(self, method: str, path: str, body: dict[str, Any] | None = None) -> RemoteJob:
        with translated():
            return wire.job(self._call(method, path, body))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise refusal(answer.status_code, answer.text, answer.headers)
        return answer.json()

    @property
    def _root(self) -> str:
        return self.endpoint.rstrip("/").removesuffix("/v1")

    @cached_property
    def _http(self) -> httpx.Client:
        self.require_ready()
        import httpx

        headers = {"Authorization": f"Bearer {os.environ['MISTRAL_API_KEY']}"}
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        client = httpx.Client(base_url=self._root, headers=headers, timeout=timeout)
        weakref.finalize(self, client.close)
        return client

    @cached_property
    def _client(self) -> Mistral:
        self.require_ready()
        from mistralai.client import Mistral

        # Without a retry_config the SDK never repeats: retries are the job engine's.
        timeout = int(self._seconds("timeout_seconds", TIMEOUT_SECONDS) * 1000)
        key = os.environ["MISTRAL_API_KEY"]
        return Mistral(api_key=key, server_url=self._root, timeout_ms=timeout)
