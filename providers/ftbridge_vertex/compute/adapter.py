"""Vertex AI custom jobs as rented machines: our trainer in Google's PyTorch container.

Sources: google-cloud-aiplatform 2.7.0 (aiplatform_v1), google-cloud-storage 3.17.1 and
docs.cloud.google.com (read 2026-11-25). Spoken as plain REST, since importing the SDK takes
seconds; a test holds every request against its messages. Never run against the live service.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from ftbridge.compute import ABSENT, Compute, Launch
from ftbridge.cost.prices import PriceBook, PriceRow
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.errors import CredentialsError
from ftbridge.jobs.spec import JobSpec
from ftbridge.machines import Machine, choose, rental
from ftbridge.provider import Check, Sandbox
from ftbridge.shapes import RemoteJob
from ftbridge.stores import Store
from ftbridge_vertex import checks, settings
from ftbridge_vertex.access import Access
from ftbridge_vertex.compute import wire
from ftbridge_vertex.compute.store import CloudStore
from ftbridge_vertex.settings import whole
from ftbridge_vertex.wire import LABEL

TIMEOUT_SECONDS = 60.0


class VertexComputeProvider(Compute):
    """A custom job with one machine, on demand or on spot capacity."""

    name = "vertex_compute"
    extra = "vertex"
    sdk = ("google.genai", "google.cloud.storage")
    folder = Path(__file__).parent
    shared = folder.parent
    image = "us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-4.py310:latest"
    platform_options = (
        "project", "location", "bucket", "prefix", "storage_url", "kms_key", "service_account",
        "network", "accelerator", "disk_gb",
    )  # fmt: skip
    absent: ClassVar[Mapping[str, str]] = {
        name: sentence for name, sentence in ABSENT.items() if name != "delete"
    } | {"quote": "Google names no price for a job; see the hours x price of the estimate"}

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``GOOGLE_VERTEX_BASE_URL``, else the region's own."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether training and storage are both at googleapis.com."""
        return settings.at_vendor(self.context.options)

    @property
    def account(self) -> str:
        """The project's id; the address too where it is not the vendor's."""
        name = settings.project(self.context.options) or "no-project"
        return name if self.at_vendor else f"{name}@{self.endpoint}"

    @property
    def region(self) -> str:
        """The location of machines and data."""
        return settings.location(self.context.options)

    @property
    def kept(self) -> dict[str, str]:
        """A job is found only in its own project and location, its files in its bucket."""
        options = self.context.options
        found = {
            "project": settings.project(options), "location": settings.location(options),
            "bucket": settings.bucket(options), "prefix": settings.prefix(options),
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}

    # -- before the job ----------------------------------------------------------------------

    def machine(self, spec: JobSpec) -> Machine:
        """The machine type that was named, else the one that Compute Engine rents cheapest of
        those that surely hold the training."""
        return choose(spec, _machines(), wanted=spec.options.get("machine"), region=None)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Modelled hours, at a price of training alone: Compute Engine's is another's."""
        line = rental(spec, self.machine(spec), tokens)
        tier = "spot" if spec.options.get("spot") == "true" else "training"
        return [line.model_copy(update={"tier": tier, "region": self.region})]

    def job(self, launch: Launch) -> dict[str, Any]:
        """The body of customJobs.create."""
        settings.require_regional(self.region)
        options = {**self.context.options, **launch.options}
        text = options.get("disk_gb", str(wire.DISK_GB))
        return wire.create_request(launch, self.store(), options, whole("disk_gb", text, 100))

    # -- the job -----------------------------------------------------------------------------

    def store(self) -> Store:
        """The prefix of the bucket."""
        options = self.context.options
        return CloudStore(
            lambda: self._access.storage, settings.require_bucket(options),
            settings.prefix(options), self._timeout, options.get("kms_key"),
        )  # fmt: skip

    def launch(self, job: Mapping[str, Any], key: str) -> RemoteJob:
        """POST customJobs."""
        return wire.job(self._access.rest("POST", self._jobs, dict(job)))

    def look(self, remote_id: str) -> RemoteJob:
        """GET of one custom job."""
        return wire.job(self._access.rest("GET", remote_id))

    def key_of(self, remote_id: str) -> str:
        """The key stands in the job's label; jobs do not change theirs."""
        if remote_id not in self._keys:
            self._keys[remote_id] = str(self.look(remote_id).details["key"])
        return self._keys[remote_id]

    def find(self, key: str) -> RemoteJob | None:
        """The list by label; what it gives is held against the label once more."""
        query = quote(f'labels.{LABEL}="{key}"')
        shown = self._access.rest("GET", f"{self._jobs}?filter={query}&pageSize=100")
        for found in shown.get("customJobs", ()):
            if (found.get("labels") or {}).get(LABEL) == key:
                return wire.job(found)
        return None

    def stop(self, remote_id: str) -> RemoteJob:
        """POST :cancel, whose answer is empty."""
        self._access.rest("POST", f"{remote_id}:cancel", {})
        return self.look(remote_id)

    def delete(self, remote_id: str) -> None:
        """DELETE of a job that has ended; its files stay in the bucket."""
        from ftbridge.vendor_errors import unless_gone

        with unless_gone():
            self._access.rest("DELETE", remote_id)

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages, a project, a bucket and some credentials must be there."""
        self.require_installed()
        settings.require_bucket(self.context.options)
        if not settings.project(self.context.options):
            raise CredentialsError(
                "no Google Cloud project",
                hint="set GOOGLE_CLOUD_PROJECT, or rehearse with `ftbridge sandbox vertex_compute`",
                where="GOOGLE_CLOUD_PROJECT",
            )
        _ = self._access.credentials

    def doctor(self) -> list[Check]:
        """Packages, project, region, credentials, bucket, and one harmless call."""

        def look(access: Access) -> str:
            access.rest("GET", f"{self._jobs}?pageSize=1")
            return "lists custom jobs"

        return checks.all_of(self, self.context.options, lambda: self._access, look)

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator beside this folder, which really trains, on a tiny model."""
        from ftbridge_vertex.sandbox import sandbox

        return sandbox()

    # -- private -----------------------------------------------------------------------------

    @property
    def _timeout(self) -> float:
        return self._seconds("timeout_seconds", TIMEOUT_SECONDS)

    @property
    def _jobs(self) -> str:
        project, location = settings.project(self.context.options), self.region
        return f"projects/{project}/locations/{location}/customJobs"

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {}

    @cached_property
    def _access(self) -> Access:
        self.require_installed()
        options = self.context.options
        return Access(
            settings.project(options), settings.location(options), settings.endpoint(options),
            settings.storage_url(options), self._timeout,
        )  # fmt: skip


@cache
def _machines() -> tuple[PriceRow, ...]:
    """The price list as a list of machines."""
    rows = PriceBook.load([Path(__file__).parent]).rows
    return tuple(row.model_copy(update={"tier": None, "region": None}) for row in rows)
