"""What every client of OpenAI's fine-tuning API does, through the SDK (``openai`` 3.57.0).

An adapter on top of this holds its client (address, credentials), its facts, and what its vendor
does differently. Read 2026-11-24 in the SDK's source; no account was at hand.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge import clock
from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.dialects import openai as dialect
from ftbridge.dialects.openai_data import OpenAIShape
from ftbridge.errors import ProviderError, VendorError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.jobs.states import State
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
)

if TYPE_CHECKING:
    from openai import OpenAI


def plain(answer: Any) -> dict[str, Any]:
    """An answer of the SDK as plain data, without its warnings: its types lack what vendors send
    (a ``multi`` grader's map of graders), and would tell the user so."""
    found: dict[str, Any] = answer.to_dict(warnings=False)
    return found


class OpenAISpeaker(Provider):
    """The calls of the OpenAI dialect; a subclass says with which client and which errors."""

    sdk: ClassVar[tuple[str, ...]] = ("openai",)
    batch = 1000
    format: ClassVar[OpenAIShape]
    states: ClassVar[Mapping[str, State]] = dialect.STATES
    unready: ClassVar[frozenset[str]] = frozenset({"uploaded"})
    """What a file's ``status`` is while it cannot be trained on yet."""

    @property
    @abstractmethod
    def _client(self) -> OpenAI:
        """The SDK's client. Its retries are off: it would repeat a create and a lost upload."""

    @abstractmethod
    def _translated(self) -> AbstractContextManager[None]:
        """Turns the SDK's exceptions of a block into ftbridge's."""

    # -- before the job ----------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """SFT, DPO and RFT lines; nothing but metadata stays behind."""
        return self.format.encode(example)

    def parse(self, line: bytes) -> Example:
        """An SFT, DPO or RFT line."""
        return self.format.decode(line)

    def epochs(self, spec: JobSpec) -> tuple[int, str]:
        """The vendor's rule for unset epochs; reinforcement is not billed by them."""
        if spec.method is Method.RL:
            return 1, ""
        return super().epochs(spec)

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """POST /files with purpose ``fine-tune``."""
        with self._translated(), upload.open() as stream:
            made = self._client.files.create(file=(upload.name, stream), purpose="fine-tune")
            return RemoteFile(made.id, made.bytes, _moment(made.expires_at))

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """A file of this content's name and size."""
        with self._translated():
            for item in self._client.files.list(purpose="fine-tune"):
                if item.filename == upload.name and item.bytes == upload.bytes:
                    return RemoteFile(item.id, item.bytes, _moment(item.expires_at))
        return None

    def file_state(self, file_id: str) -> FileState:
        """GET /files/{id}; its ``status`` is deprecated and may be missing."""
        try:
            with self._translated():
                found = self._client.files.retrieve(file_id)
                if found.status == "error":
                    return FileState(ready=False, error=found.status_details or "no reason given")
                return FileState(ready=found.status not in self.unready)
        except VendorError as error:
            if error.status == 404:
                return FileState(ready=False, missing=True)
            raise

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """POST /fine_tuning/jobs once: the vendor has no idempotency key of its own."""
        with self._translated():
            return self._job(plain(self._client.fine_tuning.jobs.create(**request)))

    def find(self, key: str) -> RemoteJob | None:
        """The job whose metadata carries the key."""
        with self._translated():
            found = self._client.fine_tuning.jobs.list(metadata={dialect.METADATA_KEY: key})
            for item in found:
                if (item.metadata or {}).get(dialect.METADATA_KEY) == key:
                    return self._job(plain(item))
        return None

    def get(self, remote_id: str) -> RemoteJob:
        """GET /fine_tuning/jobs/{id}."""
        with self._translated():
            return self._job(plain(self._client.fine_tuning.jobs.retrieve(remote_id)))

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """GET /fine_tuning/jobs, newest first, until all are found; the rest one by one."""
        wanted = set(remote_ids)
        found: dict[str, RemoteJob] = {}
        if len(wanted) > 3:
            with self._translated():
                listed = self._client.fine_tuning.jobs.list(limit=100)
                for item in islice(listed, 3 * len(wanted) + 200):
                    if item.id in wanted:
                        found[item.id] = self._job(plain(item))
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
        with self._translated():
            return dialect.events(raw), dialect.metrics(raw)

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """Checkpoints, each usable as a model."""
        with self._translated():
            listed = self._client.fine_tuning.jobs.checkpoints.list(remote_id)
            return [dialect.checkpoint(plain(item)) for item in listed]

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST .../cancel."""
        with self._translated():
            return self._job(plain(self._client.fine_tuning.jobs.cancel(remote_id)))

    def pause(self, remote_id: str) -> RemoteJob:
        """POST .../pause."""
        with self._translated():
            return self._job(plain(self._client.fine_tuning.jobs.pause(remote_id)))

    def resume(self, remote_id: str) -> RemoteJob:
        """POST .../resume."""
        with self._translated():
            return self._job(plain(self._client.fine_tuning.jobs.resume(remote_id)))

    # -- the model ---------------------------------------------------------------------------

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """POST /chat/completions."""
        began = time.monotonic()
        with self._translated():
            made = self._client.chat.completions.create(**dialect.chat_body(model, request))
            choice, usage = made.choices[0], made.usage
            return ChatReply(
                text=choice.message.content or "",
                tool_calls=tuple(plain(call) for call in choice.message.tool_calls or ()),
                prompt_tokens=usage.prompt_tokens if usage else 0,
                completion_tokens=usage.completion_tokens if usage else 0,
                finish_reason=choice.finish_reason,
                seconds=time.monotonic() - began,
            )

    def purge(self, file_id: str) -> None:
        """DELETE /files/{id}; one that is gone already is what was wanted."""
        try:
            with self._translated():
                self._client.files.delete(file_id)
        except VendorError as error:
            if error.status != 404:
                raise

    def _access(self) -> Check:
        """One harmless call, for ``doctor``."""
        try:
            with self._translated():
                next(iter(self._client.fine_tuning.jobs.list(limit=1)), None)
        except ProviderError as error:
            return Check("access", False, error.message, error.hint)
        return Check("access", True, f"{self.endpoint} lists fine-tuning jobs")

    # -- private -----------------------------------------------------------------------------

    def _job(self, data: Mapping[str, Any]) -> RemoteJob:
        return dialect.job(data, self.states)

    def _raw_events(self, remote_id: str) -> list[Mapping[str, Any]]:
        with self._translated():
            listed = self._client.fine_tuning.jobs.list_events(remote_id, limit=100)
            return [plain(item) for item in listed]


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else clock.from_epoch(seconds)
