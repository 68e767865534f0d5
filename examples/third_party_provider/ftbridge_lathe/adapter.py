"""Lathe as a provider: facts, then the job, then the model. It holds no logic of its own."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import CredentialsError, ProviderError, UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import CheckedUpload
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    Check,
    FileState,
    Provider,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
    Sandbox,
)
from ftbridge.vendor_errors import unless_gone
from ftbridge_lathe import wire
from ftbridge_lathe.client import Client
from ftbridge_lathe.convert import FORMAT

BASE_URL = "https://api.lathe.example/v1"
TIMEOUT_SECONDS = 60.0


class LatheProvider(Provider):
    """SFT with LoRA, over HTTP."""

    name = "lathe"
    kind = "managed"
    distribution = "ftbridge-lathe"
    sdk = ("httpx",)
    folder = Path(__file__).parent
    batch = 50  # GET /runs takes as many names
    settle_default = 1.0  # a run can be read as soon as PUT has answered
    absent: ClassVar[Mapping[str, str]] = {
        "pause": "Lathe cannot pause a run; `ftbridge cancel` ends it",
        "resume": "Lathe cannot pause a run, so that there is nothing to resume",
        "delete": "Lathe keeps the records of runs",
        "checkpoints": "Lathe shows no checkpoints",
        "quote": "Lathe gives no price before a run; see `ftbridge compare`",
        "deploy": "a tuned model answers at once, by its own name",
        "undeploy": "a tuned model costs nothing while it is not asked",
        "delete_model": "Lathe keeps tuned models; they cost nothing while they are not asked",
        "download": "Lathe does not give weights out",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else the vendor's own."""
        return self.context.options.get("base_url") or BASE_URL

    @property
    def at_vendor(self) -> bool:
        """Whether the host is the vendor's."""
        return urlsplit(self.endpoint).hostname == "api.lathe.example"

    @property
    def account(self) -> str:
        """A short hash of the key; the address too where it is not the vendor's."""
        key = os.environ.get("LATHE_API_KEY", "")
        hashed = f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-key"
        return hashed if self.at_vendor else f"{hashed}@{self.endpoint}"

    # -- before the job: pure ----------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """One of Lathe's lines."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """The inverse."""
        return FORMAT.decode(line)

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The body of the create; the key goes into the path. What has no place is refused."""
        if spec.options:
            raise UsageError(
                f"lathe takes no option {', '.join(sorted(spec.options))}",
                hint="it has none; leave --option out",
                where="option",
            )
        if spec.seed is not None:
            raise UsageError("lathe takes no seed", hint="leave --seed out", where="seed")
        return wire.create_body(spec, training, validation)

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """PUT /datasets/NAME; the name is made of the content, so that a repeat changes nothing."""
        with upload.open() as stream:
            content = stream.read()
        return self._client.call("PUT", f"/datasets/{upload.name}", wire.file, content=content)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """GET /datasets/NAME."""
        found = None
        with unless_gone():
            found = self._client.call("GET", f"/datasets/{upload.name}", wire.file)
        return found if found is not None and found.bytes == upload.bytes else None

    def file_state(self, file_id: str) -> FileState:
        """There or not: a file is checked while it is sent."""
        state = FileState(ready=False, missing=True)
        with unless_gone():
            self._client.call("GET", f"/datasets/{file_id}", wire.file)
            state = FileState()
        return state

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """PUT /runs/KEY: the name is ours to choose, so that no run is made twice."""
        return self._client.call("PUT", f"/runs/{key}", wire.job, json=dict(request))

    def find(self, key: str) -> RemoteJob | None:
        """GET /runs/KEY."""
        found = None
        with unless_gone():
            found = self.get(key)
        return found

    def get(self, remote_id: str) -> RemoteJob:
        """GET /runs/NAME."""
        return self._client.call("GET", f"/runs/{remote_id}", wire.job)

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """GET /runs?name=...&name=..."""
        asked = {"name": list(remote_ids)}
        return {job.id: job for job in self._client.call("GET", "/runs", wire.jobs, params=asked)}

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """GET /runs/NAME/log."""
        return self._client.call("GET", f"/runs/{remote_id}/log", wire.events)

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """The losses in the same log."""
        return self._client.call("GET", f"/runs/{remote_id}/log", wire.metrics)

    def history(self, remote_id: str) -> tuple[list[RemoteEvent], list[RemoteMetric]]:
        """Both, for one call instead of two."""
        return self._client.call(
            "GET", f"/runs/{remote_id}/log", lambda data: (wire.events(data), wire.metrics(data))
        )

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST /runs/NAME/stop."""
        return self._client.call("POST", f"/runs/{remote_id}/stop", wire.job)

    # -- the model ---------------------------------------------------------------------------

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """POST /answers."""
        began = time.monotonic()
        body = wire.ask_body(model, request)
        reply = self._client.call("POST", "/answers", wire.answer, json=body)
        return ChatReply(**(vars(reply) | {"seconds": time.monotonic() - began}))

    def purge(self, file_id: str) -> None:
        """DELETE /datasets/NAME; one that is gone already is what was wanted."""
        with unless_gone():
            self._client.call("DELETE", f"/datasets/{file_id}", wire.file)

    # -- whether it would work ---------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages and a key must be there; nothing is asked of the network."""
        self.require_installed()
        if not os.environ.get("LATHE_API_KEY"):
            raise CredentialsError(
                "no Lathe key",
                hint="set LATHE_API_KEY, or rehearse: `ftbridge sandbox lathe`",
                where="LATHE_API_KEY",
            )

    def doctor(self) -> list[Check]:
        """Packages, key, and one harmless call."""
        missing, key = self.missing(), os.environ.get("LATHE_API_KEY")
        said = f"missing: {', '.join(missing)}" if missing else "httpx is installed"
        checks = [
            Check("package", not missing, said, self.install_hint() if missing else ""),
            Check("key", bool(key), f"LATHE_API_KEY is {'set' if key else 'not set'}"),
        ]
        if missing or not key:
            return checks
        try:
            self._client.call("GET", "/runs", wire.jobs)
        except ProviderError as error:
            return [*checks, Check("access", False, error.message, error.hint)]
        return [*checks, Check("access", True, f"{self.endpoint} lists runs for this key")]

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder, for `ftbridge sandbox lathe`."""
        from ftbridge_lathe.emulator import KEY, create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "FTBRIDGE_LATHE_BASE_URL": f"{url}/v1",
                "LATHE_API_KEY": KEY,
                "FTBRIDGE_LATHE_POLL_SECONDS": "0.5",
            },
        )

    @cached_property
    def _client(self) -> Client:
        self.require_ready()
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        return Client(self.endpoint, os.environ["LATHE_API_KEY"], timeout)
