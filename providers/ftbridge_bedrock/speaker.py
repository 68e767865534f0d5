"""Bedrock's data and jobs through boto3; the adapter says with which client and settings."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ftbridge.dataset.formats.format import Converted, Format
from ftbridge.dataset.types import Example, Kind, kind_of
from ftbridge.errors import VendorError
from ftbridge.policy import CheckedUpload
from ftbridge.provider import (
    FileState,
    Provider,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteMetric,
)
from ftbridge_bedrock import wire
from ftbridge_bedrock.convert import CLAUDE, LLAMA, NOVA, REWARD, TEXT
from ftbridge_bedrock.staging import Bucket

PAGE = 1000


class BedrockSpeaker(Provider):
    """The calls about data and jobs."""

    batch = PAGE
    chats: Format = NOVA
    """The format of chats, which depends on the base model's family."""

    @property
    @abstractmethod
    def _bedrock(self) -> Any:
        """boto3's client of the control plane."""

    @property
    @abstractmethod
    def _bucket(self) -> Bucket:
        """The user's bucket."""

    @abstractmethod
    def _border(self) -> AbstractContextManager[None]:
        """What turns botocore's exceptions into ours."""

    # -- data --------------------------------------------------------------------------------

    def rules(self, kind: Kind) -> str:
        """Those of the format in use."""
        return self._form(kind).name

    def convert(self, example: Example) -> Converted:
        """A line of the format that fits the example's kind, and for chats the model's family."""
        return self._form(kind_of(example)).encode(example)

    def parse(self, line: bytes) -> Example:
        """A line of any of Bedrock's formats, told by its keys."""
        record = json.loads(line)
        forms = (NOVA, TEXT, REWARD, CLAUDE)
        found = next((form for form in forms if form.looks_like(record)), None)
        return (found or (LLAMA if "prompt" in record else CLAUDE)).decode(line)

    def _form(self, kind: Kind) -> Format:
        return {Kind.REWARD: REWARD, Kind.TEXT: TEXT}.get(kind, self.chats)

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """Into the user's own bucket, encrypted at rest, under its content's hash."""
        return self._bucket.send(upload)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """The object of this content, if it is there whole."""
        return self._bucket.find(upload)

    def file_state(self, file_id: str) -> FileState:
        """HEAD of the object."""
        return self._bucket.state(file_id)

    def purge(self, file_id: str) -> None:
        """Every version of the object, and a look that none is left."""
        self._bucket.purge(file_id)

    # -- the job -----------------------------------------------------------------------------

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """POST; AWS answers the same token and request again with the job that it made."""
        with self._border():
            arn = str(self._bedrock.create_model_customization_job(**request)["jobArn"])
        return wire.begun(arn)

    def find(self, key: str) -> RemoteJob | None:
        """GET by name, which is the key: no list has to be searched."""
        try:
            return self.get(key)
        except VendorError as error:
            if error.status != 404:
                raise
            return None

    def get(self, remote_id: str) -> RemoteJob:
        """GET of one job."""
        return wire.job(self._seen(remote_id))

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """The list, newest first, until all are found; what failed is asked for its reason."""
        wanted, found = set(remote_ids), dict[str, RemoteJob]()
        if len(wanted) > 3:
            with self._border():
                pages = self._bedrock.get_paginator("list_model_customization_jobs").paginate(
                    sortBy="CreationTime", sortOrder="Descending",
                    PaginationConfig={"PageSize": PAGE, "MaxItems": 3 * len(wanted) + PAGE},
                )  # fmt: skip
                for page in pages:
                    for row in page["modelCustomizationJobSummaries"]:
                        if row["jobArn"] in wanted and row["status"] != "Failed":
                            found[row["jobArn"]] = wire.job(row)
                    if len(found) == len(wanted):
                        break
        return found | {remote_id: self.get(remote_id) for remote_id in wanted - found.keys()}

    def events(self, remote_id: str, since: str | None = None) -> list[RemoteEvent]:
        """The begin and end of each phase: Bedrock has no events of its own."""
        return wire.events(self._seen(remote_id))

    def metrics(self, remote_id: str) -> list[RemoteMetric]:
        """The CSV files that a finished job leaves in the output location."""
        return self._metrics(self._seen(remote_id))

    def history(self, remote_id: str) -> tuple[list[RemoteEvent], list[RemoteMetric]]:
        """Both, with one look at the job."""
        seen = self._seen(remote_id)
        return wire.events(seen), self._metrics(seen)

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST ...stop, whose answer is empty. What was trained by then is billed."""
        with self._border():
            self._bedrock.stop_model_customization_job(jobIdentifier=remote_id)
        return self.get(remote_id)

    # -- private -----------------------------------------------------------------------------

    def _seen(self, identifier: str) -> dict[str, Any]:
        with self._border():
            seen = self._bedrock.get_model_customization_job(jobIdentifier=identifier)
            return {**seen, "status": seen["status"], "jobArn": seen["jobArn"]}

    def _metrics(self, seen: Mapping[str, Any]) -> list[RemoteMetric]:
        if seen["status"] not in ("Completed", "Stopped"):
            return []
        root = str(seen["outputDataConfig"]["s3Uri"]).rstrip("/")
        folder = f"{root}/model-customization-job-{str(seen['jobArn']).rpartition('/')[2]}/"
        tables = self._bucket.tables(folder)
        return [metric for path, text in tables for metric in wire.metrics(path, text)]
