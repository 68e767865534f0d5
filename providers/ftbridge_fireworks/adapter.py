"""Fireworks' managed fine-tuning: facts, requests, serving, access.

Sources: the SDK ``fireworks-ai`` 1.2.30, and docs.fireworks.ai (read 2026-11-25). Never run against
the live service: no account was at hand.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.errors import CredentialsError, ProviderError, Unsupported, UsageError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.provider import ChatReply, ChatRequest, Check, Sandbox
from ftbridge.vendor_errors import unless_gone
from ftbridge_fireworks import costs, serving, settings, signed, wire
from ftbridge_fireworks.failures import translated
from ftbridge_fireworks.speaker import FireworksSpeaker

if TYPE_CHECKING:
    from fireworks import Fireworks

TIMEOUT_SECONDS = 60.0


class FireworksProvider(FireworksSpeaker):
    """SFT, DPO and reinforcement of open models, all as LoRA."""

    name = "fireworks"
    kind = "managed"
    extra = "fireworks"
    sdk = ("fireworks", "httpx")
    folder = Path(__file__).parent
    absent: ClassVar[Mapping[str, str]] = {
        "events": "Fireworks has no events; `ftbridge status JOB` shows how far a job is",
        "checkpoints": "Fireworks' API lists no checkpoints of managed jobs",
        "pause": "Fireworks cannot pause a job; it does so itself when it suspends an account",
        "quote": "Fireworks gives its price only after the create; --max-usd holds for that too",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``FIREWORKS_BASE_URL``, else the vendor's own."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of fireworks.ai."""
        return settings.at_vendor(self.context.options)

    @property
    def account(self) -> str:
        """The account's id; the address too where it is not the vendor's."""
        name = self._account or "no-account"
        return name if self.at_vendor else f"{name}@{self.endpoint}"

    # -- before the job ----------------------------------------------------------------------

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The SDK's arguments of the create; the key is the job's id."""
        limit = self.catalogue().limits.max_suffix
        if spec.suffix is not None and limit and not wire.is_id(spec.suffix, limit):
            raise UsageError(
                f"suffix `{spec.suffix}`: not 1 to {limit} of a-z, 0-9 and -, a letter first",
                hint="it becomes part of the model's id",
                where="suffix",
            )
        if spec.seed is not None:
            raise UsageError("fireworks takes no seed", hint="leave --seed out", where="seed")
        if validation is not None and spec.method is Method.DPO:
            raise UsageError(
                "fireworks takes no validation data for dpo",
                hint="leave --validation out",
                where="validation",
            )
        if spec.method is Method.RL and not spec.options.get("evaluator"):
            raise UsageError(
                "rl at fireworks needs an evaluator that is registered there",
                hint="--option evaluator=NAME; Fireworks' eval-protocol tools make one",
                where="evaluator",
            )
        return wire.create_request(spec, self._account, training, validation, key)

    def explain(self, spec: JobSpec) -> list[str]:
        """What serving costs, and what the vendor does with the data by default."""
        return costs.warnings(spec)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Training tokens, and the dedicated deployment that chats will need."""
        hours = settings.whole("hosting_hours", self.context.options.get("hosting_hours", "1"))
        lines = costs.training(super().billing(spec, tokens), spec)
        return lines + costs.hosting(self.context.options, spec.model, hours)

    def hosting(self, base: str) -> list[Quantity]:
        """One hour of a dedicated deployment."""
        return costs.hosting(self.context.options, base, 1)

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """Every hour of that deployment; its tokens are not billed apart."""
        return use.hosting(self.hosting(spec.model))

    def preflight(self, spec: JobSpec) -> None:
        """GET of the base model: whether the vendor tunes it today, as far as it says."""
        if "warm_start_from" in spec.options:
            return
        parts = spec.model.split("/")
        if len(parts) != 4:
            raise UsageError(
                f"`{spec.model}` is no model of Fireworks",
                hint="see `ftbridge models --provider fireworks`",
                where="model",
            )
        with translated():
            found = self._client.models.get(parts[3], account_id=parts[1])
            said = found.rl_tunable if spec.method is Method.RL else found.tunable
        if said is False:
            raise Unsupported(
                f"Fireworks does not do {spec.method} on {spec.model} today",
                hint="choose another with `ftbridge models --provider fireworks`",
                where="model",
            )

    def prices_after_create(self, spec: JobSpec) -> bool:
        """Only supervised jobs show an ``estimated_cost``."""
        return spec.method is Method.SFT

    # -- the model ---------------------------------------------------------------------------

    def deploy(self, model: str) -> str:
        """A dedicated deployment of the model, or with option ``deployment`` a place on one."""
        patience = self._seconds("deploy_seconds", 1800.0)
        waiting = serving.Waiting(patience, min(self.poll_seconds, 15.0))
        if self._shared:
            return serving.load(self._client, model, self._shared, waiting)
        shape = self.context.options.get("deployment_shape", "default")
        return serving.deploy_merged(self._client, model, shape, waiting)

    def undeploy(self, model: str) -> None:
        """Delete that deployment; with option ``deployment`` only unload the model from it."""
        if self._shared:
            serving.unload(self._client, model, self._shared)
        else:
            serving.undeploy_merged(self._client, model)

    def delete_model(self, model: str) -> None:
        """DELETE of the tuned model."""
        with unless_gone(), translated():
            self._client.models.delete(wire.short(model))

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """Ask a base, a deployed model, or with option ``deployment`` one loaded there."""
        loaded = self._shared and model.startswith(self._name("models", "")) and "#" not in model
        return serving.ask(self._chats, f"{model}#{self._shared}" if loaded else model, request)

    def download(self, remote_id: str, out: Path, *, merged: bool = False) -> Path:
        """The adapter's files by signed URL."""
        if merged:
            raise Unsupported(
                "Fireworks gives the adapter, not a merged model",
                hint="leave --merged out, and merge the adapter into its base yourself",
                where="merged",
            )
        model = wire.short(str(self.get(remote_id).model))
        with translated():
            urls = self._client.models.get_download_endpoint(model).filename_to_signed_urls or {}
        return signed.save(urls, out, self._timeout)

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages, a key and an account must be there."""
        self.require_installed()
        for value, name, what in (
            (os.environ.get(settings.KEY), settings.KEY, "key"),
            (self._account, "FIREWORKS_ACCOUNT_ID", "account"),
        ):
            if not value:
                raise CredentialsError(
                    f"no Fireworks {what}",
                    hint=f"set {name}, rehearse with `ftbridge sandbox fireworks`, or train here: "
                    "--provider local",
                    where=name,
                )

    def doctor(self) -> list[Check]:
        """Packages, key, account, and one harmless call."""
        missing, key = self.missing(), os.environ.get(settings.KEY, "")
        checks = [
            Check("package", not missing, f"missing: {', '.join(missing)}" if missing
                  else "fireworks-ai is installed", self.install_hint() if missing else ""),
            Check("key", bool(key), f"{settings.KEY} is {'set' if key else 'not set'}",
                  "" if key else f"set {settings.KEY}"),
            Check("account", bool(self._account), self._account or "not set", "" if self._account
                  else "set FIREWORKS_ACCOUNT_ID: it does not follow from the key"),
        ]  # fmt: skip
        return [*checks, self._access()] if all(check.ok for check in checks) else checks

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder."""
        from ftbridge_fireworks.emulator import create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "FIREWORKS_BASE_URL": url,
                "FIREWORKS_API_KEY": "fw_sandbox",
                "FIREWORKS_ACCOUNT_ID": "sandbox",
                "FTBRIDGE_FIREWORKS_SETTLE_SECONDS": "2",
                "FTBRIDGE_FIREWORKS_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    @property
    def _account(self) -> str:
        return settings.account_id(self.context.options)

    @property
    def _timeout(self) -> float:
        return self._seconds("timeout_seconds", TIMEOUT_SECONDS)

    @property
    def _shared(self) -> str | None:
        """The full name of the deployment that option ``deployment`` names."""
        given = self.context.options.get("deployment")
        return given and (given if "/" in given else self._name("deployments", given))

    def _name(self, collection: str, resource_id: str) -> str:
        return f"accounts/{self._account}/{collection}/{resource_id}"

    def _access(self) -> Check:
        try:
            with translated():
                next(iter(self._client.supervised_fine_tuning_jobs.list(page_size=1)), None)
        except ProviderError as error:
            return Check("access", False, error.message, error.hint)
        return Check("access", True, f"{self.endpoint} lists fine-tuning jobs of {self._account}")

    @cached_property
    def _client(self) -> Fireworks:
        self.require_ready()
        from fireworks import Fireworks

        client = Fireworks(
            api_key=os.environ[settings.KEY],
            account_id=self._account,
            base_url=settings.root(self.context.options),
            timeout=self._timeout,
            max_retries=0,
        )
        weakref.finalize(self, client.close)  # or its sockets stay open until the process ends
        return client

    @cached_property
    def _chats(self) -> Fireworks:
        """The same client for inference, which lives under a path of its own. The SDK adds it only
        where it was given no address."""
        return self._client.copy(base_url=f"{settings.root(self.context.options)}/inference")
