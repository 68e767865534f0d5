"""Fireworks' datasets and jobs through the SDK (``fireworks-ai`` 1.2.30, read 2026-11-25).

The client chooses a job's id, which is our key: a second create finds the first.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import VendorError
from ftbridge.policy import CheckedUpload
from ftbridge.provider import FileState, Provider, RemoteFile, RemoteJob, RemoteMetric
from ftbridge.vendor_errors import unless_gone
from ftbridge_fireworks import datasets, signed, wire
from ftbridge_fireworks.convert import FORMAT
from ftbridge_fireworks.failures import translated

if TYPE_CHECKING:
    from fireworks import Fireworks

PAGE = 200


class FireworksSpeaker(Provider):
    """The calls about data and jobs; the adapter says with which client and account."""

    batch = PAGE

    @property
    @abstractmethod
    def _client(self) -> Fireworks:
        """The SDK's client, without retries: it would repeat a create, even after a 409."""

    @property
    @abstractmethod
    def _timeout(self) -> float:
        """Seconds for one call."""

    @abstractmethod
    def _name(self, collection: str, resource_id: str) -> str:
        """The full name of something in the account."""

    # -- data --------------------------------------------------------------------------------

    def convert(self, example: Example) -> Converted:
        """A chat, a preference pair, or a prompt for an evaluator."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """A line of any of these."""
        return FORMAT.decode(line)

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """A dataset named after the content, in one request or by signed URL."""
        made = datasets.send(self._client, upload)
        return RemoteFile(self._name("datasets", made), upload.bytes)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """The dataset of this content, once it is whole."""
        wanted = datasets.dataset_id(upload)
        if not datasets.state(self._client, wanted).ready:
            return None
        return RemoteFile(self._name("datasets", wanted), upload.bytes)

    def file_state(self, file_id: str) -> FileState:
        """GET of the dataset."""
        return datasets.state(self._client, wire.short(file_id))

    def purge(self, file_id: str) -> None:
        """DELETE of the dataset; one that is gone already is what was wanted."""
        with unless_gone(), translated():
            self._client.datasets.delete(wire.short(file_id))

    # -- the job -----------------------------------------------------------------------------

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """POST of one of the three kinds; an id that is taken is our own job of an earlier try."""
        kind = next(kind for kind in wire.KINDS.values() if kind.id in request)
        try:
            with translated():
                return wire.job(self._jobs(kind).create(**request).to_dict(mode="json"))
        except VendorError as error:
            found = self.find(key) if error.status == 409 else None
            if found is None:  # another name was taken, that of the model
                raise
            return found

    def find(self, key: str) -> RemoteJob | None:
        """GET by id in each of the three lists: ids are ours, so no list has to be searched."""
        for kind in wire.KINDS.values():
            with unless_gone():
                return self.get(self._name(kind.list, key))
        return None

    def get(self, remote_id: str) -> RemoteJob:
        """GET of one job."""
        jobs = self._jobs(wire.kind_of(remote_id))
        with translated():
            return wire.job(jobs.get(wire.short(remote_id)).to_dict(mode="json"))

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """A list of each kind, newest first, until all are found; the rest one by one."""
        wanted = set(remote_ids)
        found: dict[str, RemoteJob] = {}
        for kind in {wire.kind_of(remote_id) for remote_id in wanted} if len(wanted) > 3 else ():
            with translated():
                listed = self._jobs(kind).list(page_size=PAGE, order_by="create_time desc")
                for item in islice(listed, 3 * len(wanted) + PAGE):
                    if item.name in wanted:
                        found[item.name] = wire.job(item.to_dict(mode="json"))
                    if len(found) == len(wanted):
                        break
        return found | {remote_id: self.get(remote_id) for remote_id in wanted - found.keys()}

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """The metrics file of a job that has ended, where there is one."""
        kind = wire.kind_of(remote_id)
        with translated():
            found = self._jobs(kind).get(wire.short(remote_id))
            url = getattr(found, "metrics_file_signed_url", None)
            if kind.resource == "dpo_jobs" and found.state == "JOB_STATE_COMPLETED":
                asked = self._client.dpo_jobs.get_metrics_file_endpoint(wire.short(remote_id))
                url = getattr(asked, "signed_url", None)
        rows = signed.lines(url, self._timeout) if url else []
        with translated():
            return wire.metrics(rows)

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST ...:cancel, whose answer is empty."""
        with translated():
            self._jobs(wire.kind_of(remote_id)).cancel(wire.short(remote_id), body={})
        return self.get(remote_id)

    def resume(self, remote_id: str) -> RemoteJob:
        """POST ...:resume, of a job that Fireworks has paused."""
        with translated():
            self._jobs(wire.kind_of(remote_id)).resume(wire.short(remote_id), body={})
        return self.get(remote_id)

    def delete(self, remote_id: str) -> None:
        """DELETE of the job's record; one that is gone already is what was wanted."""
        with unless_gone(), translated():
            self._jobs(wire.kind_of(remote_id)).delete(wire.short(remote_id))

    # -- private -----------------------------------------------------------------------------

    def _jobs(self, kind: wire.Kind) -> Any:
        return getattr(self._client, kind.resource)
