"""Ray Jobs: our trainer on a cluster that is there already, its files in a folder that both share.

Sources: docs.ray.io (Ray Jobs REST API) and ray 2.60.0 (read 2026-11-25). Tested on a real head.
"""

from __future__ import annotations

import io
import json
import os
import weakref
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from ftbridge import bundle, clock
from ftbridge.compute import ABSENT, Compute, Launch
from ftbridge.cost.prices import PriceRow
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.errors import FtbridgeError, ProviderError, UsageError, VendorError
from ftbridge.jobs.spec import JobSpec
from ftbridge.jobs.states import State
from ftbridge.machines import Machine, rental
from ftbridge.provider import Check
from ftbridge.shapes import RemoteJob
from ftbridge.stores import Store
from ftbridge.stores.folder import FolderStore
from ftbridge.vendor_errors import unless_gone
from ftbridge_ray import settings, wire
from ftbridge_ray.client import Jobs

TIMEOUT_SECONDS = 60.0
ATTEMPTS = 3
MISSING = 404
SPECIAL = ("image", "spot", "hours")
"""Options of other platforms that mean nothing here."""


class RayProvider(Compute):
    """A cluster runs our trainer as a job; whoever owns it knows what it costs."""

    name = "ray"
    extra = "ray_jobs"
    sdk = ("httpx2",)
    folder = Path(__file__).parent
    image = ""
    settle_default = 5.0
    platform_options = settings.OPTIONS
    absent: ClassVar[Mapping[str, str]] = {
        **{name: why for name, why in ABSENT.items() if name != "delete"},
        "quote": "a cluster of your own has no price list; see --option usd_per_hour",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``RAY_API_SERVER_ADDRESS``, else a head on this machine."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Never: each cluster is somebody's own."""
        return False

    @property
    def account(self) -> str:
        """The cluster, which is all that there is."""
        return f"ray@{self.endpoint}"

    @property
    def kept(self) -> dict[str, str]:
        """Where the files are, and what an hour costs."""
        given = self.context.options
        return {name: given[name] for name in ("storage", "usd_per_hour") if name in given}

    # -- before the job ----------------------------------------------------------------------

    def machine(self, spec: JobSpec) -> Machine:
        """What the person says of the cluster's nodes: option ``gpus``, and ``gpu`` for its speed
        (as ``A100 80GB``)."""
        count = settings.whole(spec.options, "gpus", 1)
        name = spec.options.get("machine", "node")
        gpu = spec.options.get("gpu")
        return Machine(name, count, self._row(name, gpu, count) if gpu else None)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Modelled hours x option ``usd_per_hour``; unknown where it or the GPU is not named."""
        rate = settings.rate(spec.options)
        hours = rental(spec, self.machine(spec), tokens)
        if rate is None or hours.low is None or hours.high is None:
            why = "--option usd_per_hour and --option gpu say what an hour costs and how fast it is"
            return [hours.model_copy(update={"low": None, "high": None, "formula": why})]
        said = f"({hours.formula}) x {rate} USD an hour, as --option usd_per_hour says"
        changes = {"low": hours.low * rate, "high": hours.high * rate, "formula": said}
        return [hours.model_copy(update={**changes, "priced_as": "usd_per_hour"})]

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The trainer's recipe, and the body of Ray's create."""
        for name in SPECIAL:
            if name in spec.options:
                raise UsageError(
                    f"ray takes no option `{name}`",
                    hint="the cluster's own nodes and environment are used",
                    where="option",
                )
        return super().request(spec, training, validation, key)

    def job(self, launch: Launch) -> dict[str, Any]:
        """The body of POST /api/jobs/; our key is the submission's id."""
        options = {**self.context.options, **launch.options}
        root = settings.mounted(options)
        inputs, out = f"{root}/{launch.inputs}", f"{root}/{launch.out}"
        gpus = launch.machine.gpus
        body: dict[str, Any] = {
            "submission_id": launch.key,
            "metadata": {"ftbridge_key": launch.key},
        }
        if settings.engine(options) == "train":
            command = ["python", "-m", "ftbridge_trainer.on_ray", out]
            body["runtime_env"] = {"env_vars": {"PYTHONPATH": f"{inputs}/{bundle.TRAINER}"}}
        else:
            command = bundle.command(inputs, out, [f"{root}/files"], gpus)
            body["entrypoint_num_gpus"] = gpus
        command[0] = options.get("python", command[0])
        attempts = settings.whole(options, "attempts", ATTEMPTS, least=1)
        return {"entrypoint": wire.entrypoint(command, attempts), **body}

    # -- what the platform supplies ----------------------------------------------------------

    def store(self) -> Store:
        """The shared folder."""
        return FolderStore(settings.storage(self.context.options))

    def create(self, request: Mapping[str, Any], key: str) -> RemoteJob:
        """Stage and launch; for Ray Train the run folder is the shared one itself."""
        if "runtime_env" in request["job"]:
            self._stage_run(request["recipe"], key)
        return super().create(request, key)

    def launch(self, job: Mapping[str, Any], key: str) -> RemoteJob:
        """POST of the job; an id that is taken is our own job of an earlier try."""
        try:
            self._jobs.call("POST", "/api/jobs/", dict(job))
        except VendorError:
            found = self.find(key)
            if found is None:
                raise
            return found
        try:
            return self.look(key)
        except FtbridgeError:  # it is made, whatever a look at it says
            return RemoteJob(id=key, state=State.QUEUED, raw_state="PENDING")

    def look(self, remote_id: str) -> RemoteJob:
        """GET of the job."""
        row = self._jobs.call("GET", f"/api/jobs/{quote(remote_id, safe='')}")
        return wire.job(row, settings.rate(self.context.options))

    def find(self, key: str) -> RemoteJob | None:
        """GET by our own id: no list has to be searched."""
        try:
            return self.look(key)
        except VendorError as error:
            if error.status != MISSING:
                raise
            return None

    def stop(self, remote_id: str) -> RemoteJob:
        """POST of the stop: SIGTERM, and after three seconds SIGKILL."""
        self._jobs.call("POST", f"/api/jobs/{quote(remote_id, safe='')}/stop")
        seen = self.look(remote_id)
        return seen if seen.state in wire.ENDED else replace(seen, stopping=True)

    def delete(self, remote_id: str) -> None:
        """DELETE of the record of a job that has ended."""
        with unless_gone():
            self._jobs.call("DELETE", f"/api/jobs/{quote(remote_id, safe='')}")

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """A package and a shared folder must be there; whether a token is wanted, Ray says."""
        self.require_installed()
        settings.storage(self.context.options)

    def doctor(self) -> list[Check]:
        """Packages, the shared folder, and the cluster's version."""
        missing = self.missing()
        checks = [
            Check("package", not missing, f"missing: {', '.join(missing)}" if missing
                  else "httpx2 is installed", self.install_hint() if missing else ""),
            self._folder_check(),
        ]  # fmt: skip
        if missing:
            return checks
        try:
            version = self._jobs.call("GET", "/api/version")["ray_version"]
            self._jobs.call("GET", "/api/jobs/")
        except ProviderError as error:
            return [*checks, Check("cluster", False, error.message, error.hint)]
        return [*checks, Check("cluster", True, f"Ray {version} at {self.endpoint} lists jobs")]

    # -- private -----------------------------------------------------------------------------

    @cached_property
    def _jobs(self) -> Jobs:
        self.require_installed()
        seconds = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        made = Jobs(self.endpoint, settings.token(), seconds)
        weakref.finalize(self, made.http.close)  # or its sockets stay open until the process ends
        return made

    def _row(self, name: str, gpu: str, count: int) -> PriceRow:
        today = clock.today()
        return PriceRow.model_validate({
            "provider": self.name, "model": name, "item": "gpu_hour", "unit": "usd_per_hour",
            "usd": 0, "gpu": gpu, "gpus": count, "source": "--option gpu", "source_date": today,
            "seen": today, "evidence": "yours",
        })  # fmt: skip

    def _folder_check(self) -> Check:
        try:
            folder = settings.storage(self.context.options)
        except UsageError as error:
            return Check("storage", None, error.message, error.hint)
        if folder.is_dir() and os.access(folder, os.W_OK):
            return Check("storage", True, f"{folder} can be written here")
        return Check("storage", False, f"{folder} cannot be written here", "mount it, or make it")

    def _stage_run(self, recipe: Mapping[str, Any], key: str) -> None:
        """Ray Train's workers read the recipe where they write: with whole paths of its data."""
        root = settings.mounted(self.context.options)
        places = {
            name: f"{root}/files/{recipe[name]}"
            for name in ("train", "validation")
            if recipe.get(name)
        }
        whole = {**recipe, **places, "offline": False}
        content = json.dumps(whole, indent=1, sort_keys=True).encode()
        self.store().write(f"jobs/{key}/out/recipe.json", io.BytesIO(content))
