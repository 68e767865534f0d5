"""Azure OpenAI (Microsoft Foundry) over the OpenAI dialect, with the SDK ``openai`` 3.57.0.

What is Azure's own: two forms of address, key or Entra token, the training tier, a ``paused`` that
the service sets by itself, and deployments, without which a tuned model does not answer. Sources:
the SDK, and Microsoft's fine-tuning guides (learn.microsoft.com), read 2026-11-24. Not run against
Azure: no account was at hand.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ftbridge import clock
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.dialects import openai as dialect
from ftbridge.dialects import openai_reinforcement
from ftbridge.dialects.azure_arm import token_provider
from ftbridge.dialects.openai_speaker import OpenAISpeaker, plain
from ftbridge.errors import CredentialsError, VendorError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.jobs.states import State
from ftbridge.provider import ChatReply, ChatRequest, Check, RemoteJob, Sandbox
from ftbridge_azure_openai import costs, settings
from ftbridge_azure_openai.arm import Manager, deployment_name
from ftbridge_azure_openai.body import create_body
from ftbridge_azure_openai.convert import FORMAT
from ftbridge_azure_openai.failures import translated

if TYPE_CHECKING:
    from openai import OpenAI

TIMEOUT_SECONDS = 60.0
DAY_SECONDS = 86_400.0
DATA_SCOPE = "https://cognitiveservices.azure.com/.default"


class AzureOpenAIProvider(OpenAISpeaker):
    """Azure OpenAI's fine-tuning API, and its deployments through Resource Manager."""

    name = "azure_openai"
    kind = "managed"
    extra = "azure_openai"
    sdk = ("openai", "azure.identity", "httpx")
    folder = Path(__file__).parent
    format = FORMAT
    unready = frozenset({"uploaded", "pending", "notRunning", "running"})
    states: ClassVar[Mapping[str, State]] = {
        **dialect.STATES,
        "created": State.QUEUED,
        "pending": State.QUEUED,
        "pausing": State.RUNNING,
        "resuming": State.QUEUED,
        "cancelling": State.RUNNING,
        "canceled": State.CANCELLED,
    }
    absent: ClassVar[Mapping[str, str]] = {
        "delete": "Azure OpenAI's job records are deleted in the portal; purge the file instead",
        "delete_model": "Azure OpenAI's tuned models are deleted in the portal; undeploy them here",
        "quote": "Azure OpenAI gives no price before a job; see `ftbridge compare`",
        "download": "Azure OpenAI does not give weights out",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``AZURE_OPENAI_ENDPOINT``."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of Azure's."""
        return settings.at_vendor(self.context.options)

    @property
    def account(self) -> str:
        """The resource's host, which is a name of its own at Azure; elsewhere the address."""
        if self.at_vendor:
            return urlsplit(self.endpoint).hostname or ""
        return f"no-resource@{self.endpoint}" if self.endpoint else "no-resource"

    @property
    def region(self) -> str | None:
        """Option ``region`` for the tier that trains in it; the other tiers train anywhere."""
        tier = self._training_type(None)
        return self._home_region if tier in (None, "standard") else "global"

    # -- before the job ----------------------------------------------------------------------

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create body in Azure's form."""
        options = {**self.context.options, **spec.options}
        limit = self.catalogue().limits.max_suffix
        return create_body(spec, (training, validation), key, options, limit)

    def explain(self, spec: JobSpec) -> list[str]:
        """What the method, the tier and the missing region mean."""
        tier, kind = self._training_type(spec), self._deployment_type()
        said = costs.warnings(spec.method, tier, kind, self._home_region)
        return [*openai_reinforcement.warnings(spec), *said]

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Training in the tier's price, by tokens or (rl) hours, and the hosting of chats."""
        tier, region = self._training_type(spec), self._home_region
        rl = spec.method is Method.RL
        lines = openai_reinforcement.billing(spec) if rl else super().billing(spec, tokens)
        hours = settings.whole(self.context.options, "hosting_hours", 1)
        return costs.training(lines, spec.model, tier, region) + costs.hosting(
            spec.model, self._deployment_type(), hours, region
        )

    # -- the job -----------------------------------------------------------------------------

    def find(self, key: str) -> RemoteJob | None:
        """The job whose metadata carries the key, by reading the list.

        Raises:
            VendorError: a job of the last day shows no ``metadata`` at all, so that ours may be
                there without its key: whether Azure keeps it everywhere is not verified.
        """
        mute = ""
        with self._translated():
            for item in self._client.fine_tuning.jobs.list(limit=100):
                data = plain(item)
                if (data.get("metadata") or {}).get(dialect.METADATA_KEY) == key:
                    return self._job(data)
                fresh = clock.real_now().timestamp() - item.created_at < DAY_SECONDS
                if fresh and "metadata" not in data:
                    mute = item.id
        if mute:
            raise VendorError(
                f"Azure shows no metadata of {mute}, so a job of ours cannot be told from others",
                hint="look in the Foundry portal whether the job was made, then `ftbridge resolve "
                "JOB --remote-id ID` or `--none`",
                vendor_code="no_metadata",
            )
        return None

    def _job(self, data: Mapping[str, Any]) -> RemoteJob:
        """The dialect's job; a stop that is under way says so."""
        job = super()._job(data)
        return replace(job, stopping=True) if job.raw_state in ("pausing", "cancelling") else job

    # -- the model ---------------------------------------------------------------------------

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """POST /chat/completions of the deployment: Azure knows no other name of a model."""
        name = self.context.options.get("deployment") or deployment_name(model)
        return super().chat(name if ".ft-" in model or ":ft-" in model else model, request)

    def deploy(self, model: str) -> str:
        """A deployment named after the model, through Resource Manager; it bills by the hour."""
        self.require_installed()
        options = self.context.options
        return self._manager.deploy(
            model,
            self._deployment_type(),
            settings.whole(options, "capacity", 1),
            wait=self._seconds("deploy_seconds", 1800.0),
            pause=min(self.poll_seconds, 15.0),
        )

    def undeploy(self, model: str) -> None:
        """Delete that deployment and end its hourly fee; the model stays."""
        self.require_installed()
        self._manager.undeploy(model)

    def hosting(self, base: str) -> list[Quantity]:
        """The hourly fee of the deployment's type in the region."""
        return costs.hosting(base, self._deployment_type(), 1, self._home_region)

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """The hourly fee, and tokens at the base model's price in the deployment's tier."""
        tier = settings.TIERS[self._deployment_type()]
        return [
            *use.hosting(self.hosting(spec.model)),
            *use.tokens(
                tier=tier, region=self._home_region, priced_as=settings.PRICED_AS.get(spec.model)
            ),
        ]

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages, an address and a credential must be there."""
        self.require_installed()
        if not self.endpoint:
            raise CredentialsError(
                "no Azure OpenAI resource",
                hint="set AZURE_OPENAI_ENDPOINT to https://NAME.openai.azure.com, rehearse with "
                "`ftbridge sandbox azure_openai`, or train here: --provider local",
                where="AZURE_OPENAI_ENDPOINT",
            )
        if not settings.credential(self.context.options):
            raise CredentialsError(
                "no Azure OpenAI credential",
                hint="set AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN, or sign in with `az "
                "login` and give --option auth=entra",
                where="AZURE_OPENAI_API_KEY",
            )

    def doctor(self) -> list[Check]:
        """Packages, address, credential, and one harmless call."""
        missing = self.missing()
        found = settings.credential(self.context.options)
        checks = [
            Check("package", not missing, "installed" if not missing else "missing",
                  "" if not missing else self.install_hint()),
            Check("endpoint", bool(self.endpoint), self.endpoint or "not set",
                  "" if self.endpoint else "set AZURE_OPENAI_ENDPOINT"),
            Check("credential", bool(found), found or "not set",
                  "" if found else "set AZURE_OPENAI_API_KEY, or --option auth=entra"),
        ]  # fmt: skip
        if not all(check.ok for check in checks):
            return checks
        return [*checks, self._access()]

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder."""
        from ftbridge_azure_openai.emulator import create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "AZURE_OPENAI_ENDPOINT": url,
                "AZURE_OPENAI_API_KEY": "azure-sandbox-key",
                "AZURE_MANAGEMENT_TOKEN": "azure-sandbox-token",
                "AZURE_SUBSCRIPTION_ID": "sandbox",
                "AZURE_RESOURCE_GROUP": "sandbox",
                "FTBRIDGE_AZURE_OPENAI_RESOURCE": "sandbox",
                "FTBRIDGE_AZURE_OPENAI_ARM_URL": url,
                "FTBRIDGE_AZURE_OPENAI_SETTLE_SECONDS": "2",
                "FTBRIDGE_AZURE_OPENAI_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    def _training_type(self, spec: JobSpec | None) -> str | None:
        options = {**self.context.options, **(spec.options if spec else {})}
        return settings.training_type(options)

    @property
    def _home_region(self) -> str | None:
        return self.context.options.get("region")

    def _deployment_type(self) -> str:
        chosen = settings.choice(self.context.options, "deployment_type", settings.TIERS)
        return chosen or "standard"

    def _translated(self) -> AbstractContextManager[None]:
        return translated()

    @cached_property
    def _manager(self) -> Manager:
        host = urlsplit(self.endpoint).hostname or ""
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        return Manager(self.context.options, host, timeout)

    @cached_property
    def _client(self) -> OpenAI:
        self.require_ready()
        from ftbridge_azure_openai.clients import connect

        entra = self.context.options.get("auth") == "entra"
        client = connect(
            settings.address(self.context.options),
            token_provider(DATA_SCOPE) if entra else None,
            self._seconds("timeout_seconds", TIMEOUT_SECONDS),
        )
        weakref.finalize(self, client.close)  # or its sockets stay open until the process ends
        return client
