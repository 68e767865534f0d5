"""Hugging Face Jobs: our trainer on the Hub's machines, its files in a private bucket.

Sources: ``huggingface_hub`` 2.4.0 (its types and docstrings, read 2026-11-25), and the Hub's
documentation of jobs and their prices (repository huggingface/hub-docs). Never run against the live
service: no account was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge import bundle
from ftbridge.compute import ABSENT, Compute, Launch
from ftbridge.errors import CredentialsError, ProviderError, UsageError
from ftbridge.jobs.spec import JobSpec
from ftbridge.machines import Machine
from ftbridge.provider import Check, Sandbox
from ftbridge.shapes import RemoteJob
from ftbridge.stores import Store
from ftbridge_huggingface import flavors, settings, wire
from ftbridge_huggingface.client import connect, within
from ftbridge_huggingface.store import BucketStore

if TYPE_CHECKING:
    from huggingface_hub import HfApi, JobInfo

TIMEOUT_SECONDS = 60.0
MOUNT = "/ftbridge"
"""Where the job sees the bucket."""


class HuggingFaceProvider(Compute):
    """The Hub rents a machine by the minute and runs our trainer on it."""

    name = "huggingface"
    extra = "huggingface"
    sdk = ("huggingface_hub", "hf_xet")
    folder = Path(__file__).parent
    image = "pytorch/pytorch:2.9.0-cuda12.8-cudnn9-runtime"
    platform_options = settings.OPTIONS
    absent: ClassVar[Mapping[str, str]] = {
        **ABSENT,
        "quote": "the Hub prices machines, not jobs; `ftbridge prices refresh` reads its list",
        "deploy": "the weights are yours: `ftbridge download JOB`, and `hf upload` them into a "
        "model repository for an Inference Endpoint, which bills by the hour",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``HF_ENDPOINT``, else the vendor's own."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of huggingface.co."""
        return settings.at_vendor(self.context.options)

    @property
    def account(self) -> str:
        """The namespace, or a short hash of the token; the address too where it is another's."""
        account = settings.account(self.context.options)
        return account if self.at_vendor else f"{account}@{self.endpoint}"

    @property
    def kept(self) -> dict[str, str]:
        """Where the job and its files are."""
        names = ("namespace", "bucket")
        given = self.context.options
        return {name: given[name] for name in names if name in given}

    # -- before the job ----------------------------------------------------------------------

    def machine(self, spec: JobSpec) -> Machine:
        """A machine of the price list, also by its flavor (``a10g-large``)."""
        wanted = spec.options.get("machine")
        if wanted is None:
            return super().machine(spec)
        named = flavors.pretty(wanted)
        return super().machine(
            spec.model_copy(update={"options": {**spec.options, "machine": named}})
        )

    def job(self, launch: Launch) -> dict[str, Any]:
        """The arguments of ``run_job``. The namespace and the token come at the launch."""
        options = {**self.context.options, **launch.options}
        files = [f"{MOUNT}/files"]
        command = bundle.command(
            f"{MOUNT}/{launch.inputs}", f"{MOUNT}/{launch.out}", files, launch.machine.gpus
        )
        return {
            "image": launch.image,
            "command": command,
            "flavor": flavors.flavor(launch.machine.name),
            "timeout": launch.seconds,
            "attempts": settings.attempts(options),
            "labels": {wire.LABEL: launch.key},
            "volumes": [{
                "type": "bucket", "source": settings.bucket(options), "mount_path": MOUNT,
            }],
            "pass_token": settings.passes_token(options),
        }  # fmt: skip

    def preflight(self, spec: JobSpec) -> None:
        """GET of the hardware: whether the machine can be had today."""
        wanted = flavors.flavor(self.machine(spec).name)
        with within(self._timeout):
            listed = sorted(row.name for row in self._api.list_jobs_hardware())
        if wanted not in listed:
            raise UsageError(
                f"the Hub rents no `{wanted}` today",
                hint=f"name another: --option machine=FLAVOR, one of {', '.join(listed)}",
                where="machine",
            )

    # -- what the platform supplies ----------------------------------------------------------

    def store(self) -> Store:
        """The bucket that option ``bucket`` names, in the namespace."""
        name = settings.bucket(self.context.options)
        return BucketStore(self._api, f"{self._namespace}/{name}", self._timeout)

    def launch(self, job: Mapping[str, Any], key: str) -> RemoteJob:
        """POST of the job; the token goes as a secret of the job, and into no file of ours."""
        from huggingface_hub import Volume

        asked = dict(job)
        secrets = {settings.TOKEN: settings.token()} if asked.pop("pass_token") else None
        asked["volumes"] = [
            Volume(**{**volume, "source": f"{self._namespace}/{volume['source']}"})
            for volume in job["volumes"]
        ]
        with within(self._timeout):
            made = self._api.run_job(**asked, name=key, secrets=secrets, namespace=self._namespace)
            return self._seen(made)

    def look(self, remote_id: str) -> RemoteJob:
        """GET of the job."""
        with within(self._timeout):
            return self._seen(self._inspect(remote_id))

    def find(self, key: str) -> RemoteJob | None:
        """The job with this label; the Hub filters its list."""
        with within(self._timeout):
            labels = {wire.LABEL: key}
            for info in self._api.list_jobs(labels=labels, namespace=self._namespace):
                if wire.key_of(info) == key:
                    return self._seen(info)
        return None

    def stop(self, remote_id: str) -> RemoteJob:
        """POST of the cancel."""
        with within(self._timeout):
            self._api.cancel_job(job_id=remote_id, namespace=self._namespace)
        return self.look(remote_id)

    def key_of(self, remote_id: str) -> str:
        """The job's label, asked for once."""
        if remote_id not in self._keys:
            self.look(remote_id)
        return self._keys[remote_id]

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages and a token must be there."""
        self.require_installed()
        if not settings.token():
            raise CredentialsError(
                "no Hugging Face token",
                hint="set HF_TOKEN or run `hf auth login`, rehearse with `ftbridge sandbox "
                "huggingface`, or train here: --provider local",
                where=settings.TOKEN,
            )

    def doctor(self) -> list[Check]:
        """Packages, token, who it is, and what machines there are."""
        missing, token = self.missing(), settings.token()
        checks = [
            Check("package", not missing, f"missing: {', '.join(missing)}" if missing
                  else "huggingface_hub is installed", self.install_hint() if missing else ""),
            Check("token", bool(token), f"a token is {'there' if token else 'not there'}",
                  "" if token else "set HF_TOKEN, or `hf auth login`"),
        ]  # fmt: skip
        if not all(check.ok for check in checks):
            return checks
        try:
            with within(self._timeout):
                next(iter(self._api.list_jobs(namespace=self._namespace, status="RUNNING")), None)
                rows = self._api.list_jobs_hardware()
        except ProviderError as error:
            return [*checks, Check("access", False, error.message, error.hint)]
        said = f"{self.endpoint} lists jobs of {self._namespace} and {len(rows)} machines"
        return [*checks, Check("access", True, said)]

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder, which really trains, on a tiny model."""
        from ftbridge_huggingface.emulator import TOKEN, create_app, models_folder

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "HF_ENDPOINT": url,
                "HF_TOKEN": TOKEN,
                "HF_HUB_OFFLINE": "0",
                "HF_HUB_CACHE": str(models_folder()),
                "FTBRIDGE_HUGGINGFACE_SETTLE_SECONDS": "2",
                "FTBRIDGE_HUGGINGFACE_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    @cached_property
    def _api(self) -> HfApi:
        self.require_ready()
        return connect(self.endpoint, settings.token())

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {}

    @property
    def _timeout(self) -> float:
        return self._seconds("timeout_seconds", TIMEOUT_SECONDS)

    @cached_property
    def _namespace(self) -> str:
        """Option ``namespace``, else the token's own user."""
        given = self.context.options.get("namespace")
        if given:
            return settings.name("namespace", given)
        with within(self._timeout):
            return str(self._api.whoami()["name"])

    def _inspect(self, remote_id: str) -> JobInfo:
        return self._api.inspect_job(job_id=remote_id, namespace=self._namespace)

    def _seen(self, info: JobInfo) -> RemoteJob:
        self._keys[info.id] = wire.key_of(info)
        return wire.job(info)
