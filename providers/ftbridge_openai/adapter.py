"""OpenAI through its own SDK (``openai`` 3.57.0, read 2026-11-24). Not run against the live
service: no account was at hand; the path runs against ``emulator.py``."""

from __future__ import annotations

import hashlib
import os
import time
import weakref
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ftbridge import clock
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.dialects import openai as dialect
from ftbridge.errors import CredentialsError, UsageError, VendorError
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
from ftbridge_openai.convert import FORMAT
from ftbridge_openai.failures import translated

if TYPE_CHECKING:
    from openai import OpenAI

BASE_URL = "https://api.openai.com/v1"
TIMEOUT_SECONDS = 60.0


class OpenAIProvider(Provider):
    """OpenAI's fine-tuning API."""

    name = "openai"
    kind = "managed"
    extra = "openai"
    sdk = ("openai",)
    folder = Path(__file__).parent
    batch = 1000
    absent: ClassVar[Mapping[str, str]] = {
        "delete": "OpenAI keeps job records; delete the tuned model or its files instead",
        "quote": "OpenAI gives no price before a job; see `ftbridge compare`",
        "deploy": "OpenAI needs no deployment; ask the tuned model by its name",
        "undeploy": "OpenAI has no deployments of tuned models",
        "download": "OpenAI does not give weights out",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``OPENAI_BASE_URL``, else the vendor's own."""
        option = self.context.options.get("base_url")
        return option or os.environ.get("OPENAI_BASE_URL") or BASE_URL

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of openai.com."""
        host = urlsplit(self.endpoint).hostname or ""
        return host == "openai.com" or host.endswith(".openai.com")

    @property
    def account(self) -> str:
        """Organisation and project where set, else a short hash of the key; the address too
        where it is not the vendor's."""
        named = [os.environ.get(name, "") for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID")]
        key = os.environ.get("OPENAI_API_KEY", "")
        hashed = f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-key"
        account = "/".join(named) if any(named) else hashed
        return account if self.at_vendor else f"{account}@{self.endpoint}"

    # -- before the job ----------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """SFT, DPO and RFT lines; nothing but metadata stays behind."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """An OpenAI SFT, DPO or RFT line."""
        return FORMAT.decode(line)

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create body, with the user's tags beside the key in ``metadata``."""
        limit = self.catalogue().limits.max_suffix
        if spec.suffix and limit and len(spec.suffix) > limit:
            raise UsageError(f"the suffix is longer than {limit} characters", where="suffix")
        if spec.options:
            raise UsageError(
                f"openai takes no option {', '.join(sorted(spec.options))}", where="option"
            )
        dialect.check_tags(spec.tags)
        body = dialect.create_body(spec, training, validation, key)
        body["metadata"] |= spec.tags
        return body

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """POST /files with purpose ``fine-tune``."""
        with translated(), upload.open() as stream:
            made = self._client.files.create(file=(upload.name, stream), purpose="fine-tune")
            return RemoteFile(made.id, made.bytes, _moment(made.expires_at))

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """A file of this content's name and size."""
        with translated():
            for item in self._client.files.list(purpose="fine-tune"):
                if item.filename == upload.name and item.bytes == upload.bytes:
                    return RemoteFile(item.id, item.bytes, _moment(item.expires_at))
        return None

    def file_state(self, file_id: str) -> FileState:
        """GET /files/{id}; its ``status`` is deprecated and may be missing."""
        try:
            with translated():
                found = self._client.files.retrieve(file_id)
                if found.status == "error":
                    return FileState(ready=False, error=found.status_details or "no reason given")
                return FileState(ready=found.status != "uploaded")
        except VendorError as error:
            if error.status == 404:
                return FileState(ready=False, missing=True)
            raise

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """POST /fine_tuning/jobs once: the vendor has no idempotency key of its own."""
        with translated():
            return dialect.job(self._client.fine_tuning.jobs.create(**request).to_dict())

    def find(self, key: str) -> RemoteJob | None:
        """The job whose metadata carries the key."""
        with translated():
            found = self._client.fine_tuning.jobs.list(metadata={dialect.METADATA_KEY: key})
            for item in found:
                if (item.metadata or {}).get(dialect.METADATA_KEY) == key:
                    return dialect.job(item.to_dict())
        return None

    def get(self, remote_id: str) -> RemoteJob:
        """GET /fine_tuning/jobs/{id}."""
        with translated():
            return dialect.job(self._client.fine_tuning.jobs.retrieve(remote_id).to_dict())

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """GET /fine_tuning/jobs, newest first, until all are found; the rest one by one."""
        wanted = set(remote_ids)
        found: dict[str, RemoteJob] = {}
        if len(wanted) > 3:
            with translated():
                listed = self._client.fine_tuning.jobs.list(limit=100)
                for item in islice(listed, 3 * len(wanted) + 200):
                    if item.id in wanted:
                        found[item.id] = dialect.job(item.to_dict())
                    if len(found) == len(wanted):
                        break
        return found | {remote_id: self.get(remote_id) for remote_id in wanted - found.keys()}

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """All events; the vendor has no filter by time."""
        return self.history(remote_id)[0]

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """The numbers that come as events."""
        return self.history(remote_id)[1]

    def history(self, remote_id: str) -> tuple[list[RemoteEvent], list[RemoteMetric]]:
        """Both lie in the same list."""
        raw = self._raw_events(remote_id)
        with translated():
            return dialect.events(raw), dialect.metrics(raw)

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """Checkpoints, each usable as a model."""
        with translated():
            listed = self._client.fine_tuning.jobs.checkpoints.list(remote_id)
            return [dialect.checkpoint(item.to_dict()) for item in listed]

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST .../cancel."""
        with translated():
            return dialect.job(self._client.fine_tuning.jobs.cancel(remote_id).to_dict())

    def pause(self, remote_id: str) -> RemoteJob:
        """POST .../pause."""
        with translated():
            return dialect.job(self._client.fine_tuning.jobs.pause(remote_id).to_dict())

    def resume(self, remote_id: str) -> RemoteJob:
        """POST .../resume."""
        with translated():
            return dialect.job(self._client.fine_tuning.jobs.resume(remote_id).to_dict())

    # -- the model ---------------------------------------------------------------------------

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """POST /chat/completions."""
        began = time.monotonic()
        with translated():
            made = self._client.chat.completions.create(**dialect.chat_body(model, request))
            choice, usage = made.choices[0], made.usage
            return ChatReply(
                text=choice.message.content or "",
                tool_calls=tuple(call.to_dict() for call in choice.message.tool_calls or ()),
                prompt_tokens=usage.prompt_tokens if usage else 0,
                completion_tokens=usage.completion_tokens if usage else 0,
                finish_reason=choice.finish_reason,
                seconds=time.monotonic() - began,
            )

    def purge(self, file_id: str) -> None:
        """DELETE /files/{id}; one that is gone already is what was wanted."""
        try:
            with translated():
                self._client.files.delete(file_id)
        except VendorError as error:
            if error.status != 404:
                raise

    def require_ready(self) -> None:
        """Packages and a key must be there."""
        self.require_installed()
        if not os.environ.get("OPENAI_API_KEY"):
            raise CredentialsError(
                "no OpenAI key",
                hint="set OPENAI_API_KEY, rehearse with `ftbridge sandbox openai`, or train "
                "without any key: --provider local",
                where="OPENAI_API_KEY",
            )

    def doctor(self) -> list[Check]:
        """Package, key, and one harmless call."""
        missing = self.missing()
        key = os.environ.get("OPENAI_API_KEY", "")
        checks = [
            Check("package", not missing, "openai is installed" if not missing else "missing",
                  "" if not missing else self.install_hint()),
            Check("key", bool(key), f"OPENAI_API_KEY is {'set' if key else 'not set'}",
                  "" if key else "set OPENAI_API_KEY"),
        ]  # fmt: skip
        if missing or not key:
            return checks
        return [*checks, self._access()]

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder."""
        from ftbridge_openai.emulator import create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "OPENAI_BASE_URL": f"{url}/v1",
                "OPENAI_API_KEY": "sk-sandbox",
                "FTBRIDGE_OPENAI_SETTLE_SECONDS": "2",
                "FTBRIDGE_OPENAI_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    def _access(self) -> Check:
        from ftbridge.errors import ProviderError

        try:
            with translated():
                next(iter(self._client.fine_tuning.jobs.list(limit=1)), None)
        except ProviderError as error:
            return Check("access", False, error.message, error.hint)
        return Check("access", True, f"{self.endpoint} lists fine-tuning jobs for this key")

    def _raw_events(self, remote_id: str) -> list[Mapping[str, Any]]:
        with translated():
            listed = self._client.fine_tuning.jobs.list_events(remote_id, limit=100)
            return [item.to_dict() for item in listed]

    @cached_property
    def _client(self) -> OpenAI:
        self.require_ready()
        from openai import OpenAI

        # Retries are the job engine's: the SDK would repeat a create and a lost upload.
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        client = OpenAI(base_url=self.endpoint, timeout=timeout, max_retries=0)
        weakref.finalize(self, client.close)  # or its sockets stay open until the process ends
        return client


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else clock.from_epoch(seconds)
