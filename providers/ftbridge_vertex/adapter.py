"""Google Vertex AI's managed tuning: facts, requests, jobs, models, access.

Sources: google-genai 2.34.0, google-cloud-storage 3.17.1, google-cloud-aiplatform 2.7.0's messages
and docs.cloud.google.com (read 2026-11-25). Never run against the live service: no account was at
hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.dataset.formats.format import Converted
from ftbridge.dataset.types import Example
from ftbridge.errors import CredentialsError, Unsupported, UsageError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.policy import CheckedUpload
from ftbridge.provider import (
    ChatReply,
    ChatRequest,
    Check,
    FileState,
    Provider,
    RemoteCheckpoint,
    RemoteFile,
    RemoteJob,
    Sandbox,
)
from ftbridge_vertex import checks, settings, staging, talk, tuned, wire
from ftbridge_vertex.access import Access, require_credentials
from ftbridge_vertex.convert import FORMAT
from ftbridge_vertex.failures import translated

TIMEOUT_SECONDS = 60.0
DELETE_SECONDS = 300.0
PAGE = 100


class VertexProvider(Provider):
    """SFT, preference and reinforcement of Gemini as LoRA; SFT of open models, LoRA and full."""

    name = "vertex"
    kind = "managed"
    extra = "vertex"
    sdk = ("google.genai", "google.cloud.storage")
    folder = Path(__file__).parent
    batch = PAGE
    absent: ClassVar[Mapping[str, str]] = {
        "events": "Vertex AI has no events of a tuning job; `ftbridge status JOB` shows its phase",
        "metrics": "Vertex AI shows a job's metrics in its console alone",
        "pause": "Vertex AI cannot pause a tuning job",
        "resume": "Vertex AI cannot resume a tuning job; --option start_from goes on from a model",
        "delete": "Vertex AI keeps the record of a tuning job; its API has no delete",
        "quote": "Vertex AI gives no price before a job",
        "deploy": "a tuned Gemini answers at once, at its base's token price; the weights of an "
        "open model are yours to serve: `ftbridge download JOB`",
        "undeploy": "a tuned Gemini bills tokens alone; `ftbridge delete JOB` removes it",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``GOOGLE_VERTEX_BASE_URL``, else the region's own."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether tuning and storage are both at googleapis.com."""
        return settings.at_vendor(self.context.options)

    @property
    def account(self) -> str:
        """The project's id; the address too where it is not the vendor's."""
        name = settings.project(self.context.options) or "no-project"
        return name if self.at_vendor else f"{name}@{self.endpoint}"

    @property
    def region(self) -> str:
        """The location; ``global`` names no region that a policy would allow."""
        return settings.location(self.context.options)

    @property
    def kept(self) -> dict[str, str]:
        """A job is found only in its own project and location."""
        options = self.context.options
        found = {"project": settings.project(options), "location": settings.location(options)}
        return {name: value for name, value in found.items() if value}

    # -- before the job ----------------------------------------------------------------------

    def suited(self, spec: JobSpec) -> Provider:
        """Open models take other lines."""
        from ftbridge_vertex.open_models import OpenModels

        return OpenModels(self.context) if wire.is_open(spec.model) else self

    def convert(self, example: Example) -> Converted:
        """A line of Gemini's."""
        return FORMAT.encode(example)

    def parse(self, line: bytes) -> Example:
        """A chat, a preference pair, or a prompt with references."""
        return FORMAT.decode(line)

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The arguments of the SDK's ``tune``; the key is a label."""
        settings.require_regional(self.region)
        if spec.seed is not None:
            raise UsageError("vertex takes no seed", hint="leave --seed out", where="seed")
        output = None
        if wire.is_open(spec.model):
            options = self.context.options
            bucket, prefix = settings.require_bucket(options), settings.prefix(options)
            output = f"gs://{bucket}/{prefix}/weights/{key}"
        return wire.create_request(spec, training, validation, key, output)

    def explain(self, spec: JobSpec) -> list[str]:
        """What people stumble over here."""
        found = []
        if spec.method is Method.SFT and not wire.is_open(spec.model):
            found.append("a tuned Gemini was trained without thoughts: ask it with little or no "
                         "thinking (--option thinking_budget=0)")  # fmt: skip
        if wire.is_open(spec.model):
            found.append("the weights stay in your bucket after `purge`, which removes data alone")
        return found

    # -- the job -----------------------------------------------------------------------------

    def upload(self, upload: CheckedUpload) -> RemoteFile:
        """An object in the bucket, in a folder named by its content."""
        name = self._uri(upload)
        kms_key = self.context.options.get("kms_key")
        staging.send(self._access.storage, name, upload, self._timeout, kms_key)
        return RemoteFile(name, upload.bytes)

    def find_upload(self, upload: CheckedUpload) -> RemoteFile | None:
        """The object of this content; objects appear whole."""
        name = self._uri(upload)
        found = staging.there(self._access.storage, name, self._timeout)
        return RemoteFile(name, upload.bytes) if found else None

    def file_state(self, file_id: str) -> FileState:
        """Whether the object is there."""
        found = staging.there(self._access.storage, file_id, self._timeout)
        return FileState(ready=found, missing=not found)

    def purge(self, file_id: str) -> None:
        """Delete the object, and see that it is gone."""
        staging.remove(self._access.storage, file_id, self._timeout)

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """POST tuningJobs."""
        from google.genai import types

        config = types.CreateTuningJobConfig.model_validate(request["config"])
        dataset = types.TuningDataset.model_validate(request["training_dataset"])
        client = self._access.genai
        with translated():
            made = client.tunings.tune(
                base_model=request["base_model"], training_dataset=dataset, config=config
            )
            return wire.job(_plain(made))

    def find(self, key: str) -> RemoteJob | None:
        """The list by label; what it gives is held against the label once more."""
        with translated():
            filtered = f'labels.{wire.LABEL}="{key}"'
            listed = self._access.genai.tunings.list(config={"page_size": PAGE, "filter": filtered})
            for item in listed:
                if (item.labels or {}).get(wire.LABEL) == key:
                    return wire.job(_plain(item))
        return None

    def get(self, remote_id: str) -> RemoteJob:
        """GET of one job."""
        shown = self._shown(remote_id)
        with translated():
            return wire.job(shown)

    def get_many(self, remote_ids: Sequence[str]) -> dict[str, RemoteJob]:
        """The list, newest first, until all are found; the rest one by one."""
        wanted = set(remote_ids)
        found: dict[str, RemoteJob] = {}
        if len(wanted) > 3:
            with translated():
                listed = self._access.genai.tunings.list(config={"page_size": PAGE})
                for item in islice(listed, 3 * len(wanted) + PAGE):
                    if item.name in wanted:
                        found[str(item.name)] = wire.job(_plain(item))
                    if len(found) == len(wanted):
                        break
        return found | {remote_id: self.get(remote_id) for remote_id in wanted - found.keys()}

    def checkpoints(self, remote_id: str) -> list[RemoteCheckpoint]:
        """Those of a finished job."""
        shown = self._shown(remote_id)
        with translated():
            return wire.checkpoints(shown)

    def cancel(self, remote_id: str) -> RemoteJob:
        """POST :cancel, whose answer is empty."""
        with translated():
            self._access.genai.tunings.cancel(name=remote_id)
        return self.get(remote_id)

    # -- the model ---------------------------------------------------------------------------

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """Ask a tuned model's endpoint, or a base by its id."""
        if model.startswith("gs://"):
            raise Unsupported(
                "the weights of an open model lie in your bucket, and nothing serves them",
                hint="`ftbridge download JOB`, then serve them yourself",
                where="chat",
            )
        text = self.context.options.get("thinking_budget")
        budget = None if text is None else settings.whole("thinking_budget", text, 0)
        return talk.ask(self._access.genai, model, request, budget)

    def delete_model(self, model: str) -> None:
        """A Gemini with its endpoints; an open model's weights in the bucket."""
        if model.startswith("gs://"):
            staging.clear(self._access.storage, model, self._timeout)
        else:
            tuned.delete(self._access, model, self._seconds("delete_seconds", DELETE_SECONDS))

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """An open model's weights from the bucket."""
        model = str(self.get(remote_id).model or "")
        if merged or not model.startswith("gs://"):
            what = "a merged model" if merged else "the weights of a Gemini"
            raise Unsupported(
                f"Vertex AI does not give {what}",
                hint="open models are tuned into your bucket, as adapter or full weights",
                where="download",
            )
        folder = f"{model.rstrip('/')}/{wire.WEIGHTS}"
        return staging.fetch(self._access.storage, folder, out, self._timeout)

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages, a project, a bucket and some credentials must be there."""
        self.require_installed()
        settings.require_bucket(self.context.options)
        if not settings.project(self.context.options):
            raise CredentialsError(
                "no Google Cloud project",
                hint="set GOOGLE_CLOUD_PROJECT, or rehearse with `ftbridge sandbox vertex`",
                where="GOOGLE_CLOUD_PROJECT",
            )
        require_credentials()

    def doctor(self) -> list[Check]:
        """Packages, project, region, credentials, bucket, and one harmless call."""
        return checks.all_of(
            self, self.context.options, lambda: self._access, checks.lists_tuning_jobs
        )

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder, with its storage."""
        from ftbridge_vertex.sandbox import sandbox

        return sandbox()

    # -- private -----------------------------------------------------------------------------

    @property
    def _timeout(self) -> float:
        return self._seconds("timeout_seconds", TIMEOUT_SECONDS)

    @cached_property
    def _access(self) -> Access:
        self.require_installed()
        options = self.context.options
        return Access(
            settings.project(options), settings.location(options), settings.endpoint(options),
            settings.storage_url(options), self._timeout,
        )  # fmt: skip

    def _uri(self, upload: CheckedUpload) -> str:
        options = self.context.options
        return staging.uri(settings.require_bucket(options), settings.prefix(options), upload)

    def _shown(self, remote_id: str) -> dict[str, Any]:
        with translated():
            return _plain(self._access.genai.tunings.get(name=remote_id))


def _plain(shown: Any) -> dict[str, Any]:
    """An answer of the SDK as JSON in its field names; an unknown enum is its own word."""
    found: dict[str, Any] = shown.model_dump(mode="json", exclude_none=True, warnings=False)
    return found
