"""Any server with OpenAI's fine-tuning routes, through the SDK ``openai`` 3.57.0.

The wire is the shared dialect's; a profile (``--option profile=NAME|FILE.toml``) says what a server
does differently. Unverified against any live server: the paths run against the emulator.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ftbridge.catalogue import Catalogue
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.dialects import openai as dialect
from ftbridge.dialects import openai_failures, openai_reinforcement
from ftbridge.dialects.openai_speaker import OpenAISpeaker, plain
from ftbridge.errors import CredentialsError, OperationFailed, UsageError
from ftbridge.jobs.spec import Adapter, JobSpec, Method
from ftbridge.provider import (
    Check,
    Context,
    Provider,
    RemoteEvent,
    RemoteJob,
    RemoteMetric,
    Sandbox,
)
from ftbridge.vendor_errors import unless_gone
from ftbridge_openai_compatible.convert import FORMAT
from ftbridge_openai_compatible.profile import PLAIN, Profile, every_model, load

if TYPE_CHECKING:
    from openai import OpenAI

TIMEOUT_SECONDS = 60.0


class OpenAICompatibleProvider(OpenAISpeaker):
    """A server at ``--base-url``, seen through its profile.

    Making one gives an instance of the profile's own subclass, so that catalogue and ``absent``
    are what that server has, and every check of the core reads them as it does anywhere.
    """

    name = "openai_compatible"
    kind = "managed"
    extra = "openai_compatible"
    folder = Path(__file__).parent
    format = FORMAT
    profile: ClassVar[Profile] = every_model()
    absent: ClassVar[Mapping[str, str]] = profile.absent

    def __new__(cls, context: Context) -> OpenAICompatibleProvider:
        """An instance for the profile that the options name."""
        return super().__new__(_of(context.options.get("profile", PLAIN)))

    # -- facts -------------------------------------------------------------------------------

    @classmethod
    def catalogue(cls) -> Catalogue:
        """What the profile says."""
        return cls.profile.catalogue

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else the profile's; empty where neither is set."""
        return self.context.options.get("base_url") or self.profile.base_url

    @property
    def at_vendor(self) -> bool:
        """Whether the host is the profile's own."""
        return urlsplit(self.endpoint).hostname in self.profile.hosts

    @property
    def account(self) -> str:
        """A short hash of the key, and the address."""
        hashed = hashlib.sha256(self._key.encode()).hexdigest()[:12]
        return f"{f'key-{hashed}' if self._key else 'no-key'}@{self.endpoint}"

    @property
    def kept(self) -> dict[str, str]:
        """The profile, a file by its whole path: it says where a job's key is looked for."""
        if not (chosen := self.context.options.get("profile")):
            return {}
        return {"profile": str(Path(chosen).absolute()) if chosen.endswith(".toml") else chosen}

    @property
    def _key(self) -> str:
        return os.environ.get(self.profile.key_variable, "")

    # -- before the job ----------------------------------------------------------------------

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create body in the profile's form."""
        if not self.endpoint:
            raise UsageError(
                "no address of a server",
                hint="give --base-url, or a profile that has one (--option profile=nebius)",
                where="base_url",
            )
        limit = self.catalogue().limits.max_suffix
        if spec.suffix and limit and len(spec.suffix) > limit:
            raise UsageError(f"the suffix is longer than {limit} characters", where="suffix")
        common = dialect.OPTIONS if self.profile.hyperparameters == "method" else frozenset()
        dialect.check_options(spec, common | self.profile.options.keys() | {"profile"})
        body = dialect.create_body(spec, training, validation, key)
        if self.profile.job_key == "suffix":
            del body["metadata"]
            body["suffix"] = f"{spec.suffix}-{key}" if spec.suffix else key
        else:
            dialect.check_tags(spec.tags)
            body["metadata"] |= spec.tags
        return self._with_settings(body, spec)

    def _with_settings(self, body: dict[str, Any], spec: JobSpec) -> dict[str, Any]:
        chosen = self._settings(spec)
        if self.profile.hyperparameters == "top":
            del body["method"]
            place = body
        else:
            place = body["method"][dialect.METHODS[spec.method]]
        if found := place.get("hyperparameters", {}) | chosen:
            place["hyperparameters"] = found
        return body

    def _settings(self, spec: JobSpec) -> dict[str, Any]:
        """The hyperparameters that the profile adds or knows beside the wire's own."""
        given = spec.hyperparameters.given()
        if spec.adapter is Adapter.FULL and (lora := [n for n in given if n.startswith("lora_")]):
            raise UsageError(
                f"{lora[0]} is for LoRA, but the adapter is full",
                hint="leave one of them out",
                where=lora[0],
            )
        options = {
            name: self.profile.option(name, text)
            for name, text in spec.options.items()
            if name in self.profile.options
        }
        return given | options | self.profile.adapters.get(spec.adapter, {})

    def explain(self, spec: JobSpec) -> list[str]:
        """That nobody knows the cost of reinforcement before."""
        return openai_reinforcement.warnings(spec)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Tokens times epochs; reinforcement by the hour. The price is the user's to set."""
        if spec.method is Method.RL:
            return openai_reinforcement.billing(spec)
        return super().billing(spec, tokens)

    # -- the job -----------------------------------------------------------------------------

    def find(self, key: str) -> RemoteJob | None:
        """The job that carries the key, in its metadata or at the end of its suffix."""
        if self.profile.job_key == "metadata":
            return super().find(key)
        with self._translated():
            for item in self._client.fine_tuning.jobs.list(limit=100):
                data = plain(item)
                if str(data.get("suffix") or "").endswith(key):
                    return self._job(data)
        return None

    def history(self, remote_id: str) -> tuple[list[RemoteEvent], list[RemoteMetric]]:
        """Events, and metrics from where the profile has them."""
        events, metrics = super().history(remote_id)
        if self.profile.metrics == "checkpoints":
            with self._translated():
                listed = self._client.fine_tuning.jobs.checkpoints.list(remote_id)
                metrics = dialect.checkpoint_metrics([plain(item) for item in listed])
        return events, metrics

    def delete_model(self, model: str) -> None:
        """DELETE /models/{id}; one that is gone already is what was wanted."""
        with unless_gone(), self._translated():
            self._client.models.delete(model)

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """The files of the last checkpoint, as the server has them.

        Raises:
            OperationFailed: there is no checkpoint with files, or merged weights were asked for.
        """
        if not self.profile.weights:
            raise self.unsupported("download")
        if merged:
            raise OperationFailed("the server has no merged weights", hint="leave --merged out")
        with self._translated():
            listed = self._client.fine_tuning.jobs.checkpoints.list(remote_id)
            points = sorted(map(plain, listed), key=lambda point: int(point["step_number"]))
            files = (points[-1].get("result_files") or []) if points else []
            if not files:
                raise OperationFailed(
                    "the job has no checkpoint with files yet", hint="wait until it has ended"
                )
            out.mkdir(parents=True, exist_ok=True)
            for file_id in files:
                # The last part alone: a server's name must not lead out of the folder.
                name = Path(self._client.files.retrieve(file_id).filename).name
                if name in ("", ".."):
                    raise OperationFailed(
                        f"the server calls file {file_id} `{name}`", where=file_id
                    )
                part = out / f".{name}.part"
                self._client.files.content(file_id).write_to_file(part)
                part.replace(out / name)  # whole, or not at all
        return out

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages, an address and a key must be there."""
        self.require_installed()
        if not self.endpoint:
            raise CredentialsError("no address of a server", hint="give --base-url")
        if not self._key:
            name = self.profile.key_variable
            raise CredentialsError(
                f"no key of {self.catalogue().title}",
                hint=f"set {name} (any text, where the server asks for none), or rehearse with "
                "`ftbridge sandbox openai_compatible`",
                where=name,
            )

    def doctor(self) -> list[Check]:
        """Package, address, key, and one harmless call."""
        missing, name = self.missing(), self.profile.key_variable
        checks = [
            Check("package", not missing, "openai is installed" if not missing else "missing",
                  "" if not missing else self.install_hint()),
            Check("address", bool(self.endpoint), self.endpoint or "not set",
                  "" if self.endpoint else "give --base-url, or set it in config.toml"),
            Check("key", bool(self._key), f"{name} is {'set' if self._key else 'not set'}",
                  "" if self._key else f"set {name}"),
        ]  # fmt: skip
        if not all(check.ok for check in checks):
            return checks
        return [*checks, self._access()]

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder, as Nebius; ``/v1`` of the same address is plain."""
        from ftbridge_openai_compatible.emulator import SANDBOX_KEY, create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "FTBRIDGE_OPENAI_COMPATIBLE_BASE_URL": f"{url}/nebius/v1",
                "FTBRIDGE_OPENAI_COMPATIBLE_PROFILE": "nebius",
                "OPENAI_COMPATIBLE_API_KEY": SANDBOX_KEY,
                "NEBIUS_API_KEY": SANDBOX_KEY,
                "FTBRIDGE_OPENAI_COMPATIBLE_SETTLE_SECONDS": "2",
                "FTBRIDGE_OPENAI_COMPATIBLE_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    def _translated(self) -> AbstractContextManager[None]:
        return openai_failures.translated(
            self.folder, self.catalogue().title, "--base-url", (self._key,)
        )

    @cached_property
    def _client(self) -> OpenAI:
        self.require_ready()
        from ftbridge_openai_compatible.clients import connect

        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        client = connect(self.endpoint, self._key, self.profile.key_header, timeout)
        weakref.finalize(self, client.close)  # or its sockets stay open until the process ends
        return client


def _of(name: str) -> type[OpenAICompatibleProvider]:
    """The subclass of a profile. A file is read anew each time: it may have changed."""
    return _subclass(load(name)) if name.endswith(".toml") else _known(name)


@cache
def _known(name: str) -> type[OpenAICompatibleProvider]:
    return _subclass(load(name))


def _subclass(profile: Profile) -> type[OpenAICompatibleProvider]:
    base = OpenAICompatibleProvider
    # What is absent falls back to the interface's own refusal, as if it had never been written.
    content: dict[str, Any] = {name: getattr(Provider, name) for name in profile.absent}
    content |= {"profile": profile, "absent": profile.absent, "__module__": base.__module__}
    return type(base.__name__, (base,), content)
