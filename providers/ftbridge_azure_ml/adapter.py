"""Azure Machine Learning: our trainer as a command job, on serverless compute or a cluster.

Sources: azure-ai-ml 1.35.2's REST client (api-version 2025-12-01) and azure-storage-blob 12.31.1
(read 2026-11-25), learn.microsoft.com. Never run against Azure: no account was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.compute import ABSENT, Compute, Launch
from ftbridge.errors import ProviderError, UsageError, VendorError
from ftbridge.jobs.spec import JobSpec
from ftbridge.provider import Check, Sandbox
from ftbridge.shapes import RemoteJob
from ftbridge.stores import Store
from ftbridge_azure_ml import settings, wire
from ftbridge_azure_ml.client import Client
from ftbridge_azure_ml.store import GONE, DatastoreStore

TIMEOUT_SECONDS = 60.0


class AzureMlProvider(Compute):
    """A workspace rents a machine by the hour and runs our trainer on it."""

    name = "azure_ml"
    extra = "azure_ml"
    sdk = ("azure.storage.blob", "azure.identity", "httpx")
    folder = Path(__file__).parent
    image = "pytorch/pytorch:2.9.0-cuda12.8-cudnn9-runtime"
    platform_options = settings.OPTIONS
    absent: ClassVar[Mapping[str, str]] = {
        **ABSENT,
        "quote": "Azure names no price for a job; see the hours x price of the estimate",
        "deploy": "the weights are yours: `ftbridge download JOB`; an online endpoint is made in "
        "the studio, and bills by the hour",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else Azure Resource Manager."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is Azure's."""
        return settings.at_vendor(self.context.options)

    @property
    def account(self) -> str:
        """Subscription, group and workspace; the address too where it is another's."""
        account = settings.account(self.context.options)
        return account if self.at_vendor else f"{account}@{self.endpoint}"

    @property
    def region(self) -> str | None:
        """Option ``region``: the workspace's, which ``doctor`` compares."""
        return self.context.options.get("region")

    @property
    def kept(self) -> dict[str, str]:
        """Where the job and its files are."""
        names = ("subscription_id", "resource_group", "workspace", "datastore", "region")
        given = self.context.options
        return {name: given[name] for name in names if name in given}

    # -- before the job ----------------------------------------------------------------------

    def job(self, launch: Launch) -> dict[str, Any]:
        """The body of the job, and the image that its environment is made of."""
        options = {**self.context.options, **launch.options}
        return {"image": launch.image, **wire.body(launch, settings.workspace(options), options)}

    def preflight(self, spec: JobSpec) -> None:
        """GET of the cluster, where one is named: that it is there, and has that machine."""
        options = {**self.context.options, **spec.options}
        name = settings.compute(options)
        if name is None:
            return
        shown = self._client.get(f"/computes/{name}")["properties"].get("properties") or {}
        size, wanted = str(shown.get("vmSize", "")), self.machine(spec).name
        if size.lower() != wanted.lower():
            raise UsageError(
                f"the cluster {name} has machines of {size}, the estimate is for {wanted}",
                hint=f"give --option machine={size}",
                where="machine",
            )
        low = str(shown.get("vmPriority", "")).lower() == "lowpriority"
        if spec.options.get("spot") is not None and (spec.options["spot"] == "true") is not low:
            raise UsageError(
                f"the cluster {name} is of {'low priority' if low else 'dedicated machines'}",
                hint="leave the option spot out: a cluster has a priority of its own",
                where="spot",
            )

    # -- what the platform supplies ----------------------------------------------------------

    def store(self) -> Store:
        """The workspace's datastore."""
        return self._store

    def launch(self, job: Mapping[str, Any], key: str) -> RemoteJob:
        """PUT of the environment and of the job, under names of ours: doing it twice is once."""
        self._register(str(job["image"]))
        return wire.job(self._client.put(f"/jobs/{key}", {"properties": job["properties"]}))

    def look(self, remote_id: str) -> RemoteJob:
        """GET of the job."""
        return wire.job(self._client.get(f"/jobs/{remote_id}"))

    def find(self, key: str) -> RemoteJob | None:
        """GET of the job that has the key for a name."""
        try:
            return self.look(key)
        except VendorError as error:
            if error.status != GONE:
                raise
            return None

    def stop(self, remote_id: str) -> RemoteJob:
        """POST of the cancel."""
        self._client.post(f"/jobs/{remote_id}/cancel")
        return self.look(remote_id)

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages and the workspace's names must be there; a token is asked for by each call."""
        self.require_installed()
        settings.workspace(self.context.options)

    def doctor(self) -> list[Check]:
        """Packages, names, token and role, region, and the datastore."""
        missing = self.missing()
        said = f"missing: {', '.join(missing)}" if missing else "the Azure packages are installed"
        checks = [Check("package", not missing, said, self.install_hint() if missing else "")]
        try:
            self.require_ready()
            found = self._client.get("")
            checks.append(Check("workspace", True, f"{found['name']} in {found['location']}"))
            checks += self._region_check(str(found["location"]))
            self._store.container()
        except (ProviderError, UsageError) as error:
            return [*checks, Check("access", False, error.message, error.hint)]
        datastore = settings.datastore(self.context.options)
        return [
            *checks,
            Check("access", True, f"the datastore {datastore} can be reached"),
        ]

    def _region_check(self, location: str) -> list[Check]:
        if self.region is None:
            said = "not set: prices of all regions are looked at"
            return [Check("region", None, said, f"set --option region={location}")]
        same = self.region == location
        hint = "" if same else f"the workspace is in {location}: --option region={location}"
        return [Check("region", same, f"option region is {self.region}", hint)]

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder, which really trains, on a tiny model."""
        from ftbridge_azure_ml.emulator import sandbox

        return sandbox()

    # -- private -----------------------------------------------------------------------------

    def _register(self, image: str) -> None:
        """The environment of an image, once a process: it never changes under its version."""
        if image not in self._registered:
            path = f"/environments/{wire.ENVIRONMENT}/versions/{wire.version(image)}"
            self._client.put(path, {"properties": {"image": image, "osType": "Linux"}})
            self._registered.add(image)

    @cached_property
    def _registered(self) -> set[str]:
        return set()

    @property
    def _timeout(self) -> float:
        return self._seconds("timeout_seconds", TIMEOUT_SECONDS)

    @cached_property
    def _client(self) -> Client:
        self.require_ready()
        return Client(self.endpoint, settings.workspace(self.context.options), self._timeout)

    @cached_property
    def _store(self) -> DatastoreStore:
        options = self.context.options
        return DatastoreStore(
            self._client,
            settings.datastore(options),
            settings.storage_auth(options),
            options.get("blob_url"),
            self._timeout,
        )
