"""Amazon Bedrock's managed customization: fine-tuning, pre-training, distillation, reinforcement.

Sources: botocore 1.43.117 (service models bedrock/2023-04-20, bedrock-runtime/2023-09-30) and
docs.aws.amazon.com (seen 2026-11-25). Never run against the live service: no account was at hand.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ftbridge import clock
from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.cost.use import Use
from ftbridge.errors import CredentialsError
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import CheckedStage
from ftbridge.provider import ChatReply, ChatRequest, Check, Sandbox
from ftbridge.vendor_errors import unless_gone
from ftbridge_bedrock import chat, checks, costs, families, importing, lifecycle, settings
from ftbridge_bedrock.clients import Clients
from ftbridge_bedrock.failures import translated
from ftbridge_bedrock.request import create_request, customization
from ftbridge_bedrock.serving import Serving
from ftbridge_bedrock.speaker import BedrockSpeaker
from ftbridge_bedrock.staging import Bucket

TIMEOUT_SECONDS = 60.0


class BedrockProvider(BedrockSpeaker):
    """Nova, Llama, Titan and (as long as it lives) Claude 3 Haiku."""

    name = "bedrock"
    kind = "managed"
    extra = "bedrock"
    sdk = ("boto3",)
    folder = Path(__file__).parent
    settle_default = 15.0
    poll_default = 30.0
    absent: ClassVar[Mapping[str, str]] = {
        "checkpoints": "Bedrock lists no checkpoints; a tuned model can be tuned on with --option "
        "start_from=ARN",
        "delete": "Bedrock keeps the records of its jobs; the tuned model can be deleted",
        "download": "Bedrock hands out no weights of a model that was tuned there",
        "pause": "Bedrock cannot pause a job, only stop it for good",
        "quote": "Bedrock has no price of a job before or after it; see `ftbridge plan`",
        "resume": "Bedrock cannot resume a job; tune on with --option start_from=ARN",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else boto3's variables, else the region's own."""
        return settings.endpoint(self.context.options)

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of AWS's."""
        return settings.at_vendor(self.context.options)

    @property
    def account(self) -> str:
        """The account's number; the address too where it is not the vendor's."""
        name = settings.account(self.context.options)
        return name if self.at_vendor else f"{name}@{self.endpoint}"

    @property
    def region(self) -> str:
        """Where jobs run, and where their data lies by default."""
        return settings.region(self.context.options)

    @property
    def kept(self) -> dict[str, str]:
        """A job is found in its own region alone."""
        return {"region": self.region}

    # -- before the job ----------------------------------------------------------------------

    def suited(self, spec: JobSpec) -> BedrockProvider:
        """The same, writing the chats of the model's family."""
        made = copy.copy(self)
        made.chats = families.of(spec.options.get("start_from", spec.model)).form
        return made

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """boto3's arguments of the create; the key is the job's name and its request token."""
        options = {**self.context.options, **spec.options}
        return create_request(spec, options, training, validation, key)

    def preflight(self, spec: JobSpec) -> None:
        """GET of the base model: whether it lives, and is customised so in this region today."""
        if "start_from" not in spec.options:
            lifecycle.require(self._bedrock, self._border, spec.model, customization(spec))

    def tunable_today(self, maker: str) -> list[Check]:
        """Each model of a maker (``anthropic``) that AWS lists as tunable, and its life."""
        if self.missing() or not settings.signed_in(self.context.options):
            return []
        return checks.makers(self._clients, self._border, maker, self.region)

    def explain(self, spec: JobSpec) -> list[str]:
        """What goes on billing after the job."""
        return costs.warnings(spec, {**self.context.options, **spec.options})

    def epochs(self, spec: JobSpec) -> tuple[int, str]:
        """The family's own number, where none was asked for."""
        assumed = families.of(spec.options.get("start_from", spec.model)).epochs
        return assumed, (
            f"n_epochs is left to bedrock; {assumed} assumed (docs.aws.amazon.com "
            "custom-models-hp, 2026-11-25); fix it with --n-epochs"
        )

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Training tokens, a month of storage, and an hour of serving where that is billed so."""
        options = {**self.context.options, **spec.options}
        return costs.training(super().billing(spec, tokens), spec, options)

    def hosting(self, base: str) -> list[Quantity]:
        """One hour of provisioned throughput; nothing where tokens are billed instead."""
        return costs.hosting(self.context.options, base)

    def serving(self, spec: JobSpec, use: Use) -> list[Quantity]:
        """Storage, and hours or tokens."""
        return costs.use({**self.context.options, **spec.options}, spec.model, use)

    # -- the model ---------------------------------------------------------------------------

    def deploy(self, model: str) -> str:
        """By the token where AWS serves the family so, else by the hour (option ``serving``)."""
        return self._serving.deploy(model)

    def undeploy(self, model: str) -> None:
        """Delete every deployment of the model."""
        self._serving.undeploy(model)

    def delete_model(self, model: str) -> None:
        """DELETE of the custom or imported model, which ends its storage bill."""
        imported = ":imported-model/" in model
        with unless_gone(), self._border():
            if imported:
                self._bedrock.delete_imported_model(modelIdentifier=model)
            else:
                self._bedrock.delete_custom_model(modelIdentifier=model)

    def import_weights(self, stage: CheckedStage, names: Sequence[str], name: str) -> str:
        """Custom model import of a folder of weights that the policy lets go; the model's ARN."""
        self.require_ready()
        role, pause = self.context.options["role_arn"], min(self.poll_seconds, 15.0)
        waiting = (self._seconds("deploy_seconds", 3600.0), pause)
        return importing.run(
            self._bedrock, self._border, self._bucket, stage, names, name, role, waiting
        )

    def chat(self, model: str, request: ChatRequest) -> ChatReply:
        """Converse with a base, a deployment, or a tuned model through its deployment."""
        asked = model
        if ":custom-model/" in model:
            asked = self._serving.serving(model) or model
        profile = self.context.options.get("inference_profile")
        began, sent = clock.monotonic(), chat.body(chat.inference_id(asked, profile), request)
        with self._border():
            answer = self._clients["bedrock-runtime"].converse(**sent)
            return chat.reply(answer, clock.monotonic() - began)

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages, credentials, a role and a bucket must be there."""
        self.require_installed()
        with self._border():
            found = self._clients.session.get_credentials()
        if found is None:
            raise CredentialsError(
                "no AWS credentials",
                hint="`aws sso login`, `aws configure` or AWS_ACCESS_KEY_ID; rehearse with "
                "`ftbridge sandbox bedrock`",
                where="AWS_ACCESS_KEY_ID",
            )
        for option, shape, what in (
            ("role_arn", settings.ROLE, "the role that Bedrock reads the data as"),
            ("bucket", settings.BUCKET, "a bucket of yours in the job's region"),
        ):
            if not shape.fullmatch(self.context.options.get(option, "")):
                raise CredentialsError(
                    f"bedrock needs {option}: {what}",
                    hint=f"set FTBRIDGE_BEDROCK_{option.upper()} or --option {option}=...; the "
                    "README has the policy that it needs",
                    where=option,
                )

    def doctor(self) -> list[Check]:
        """Packages, settings, and one harmless call of each service."""
        if missing := self.missing():
            told = f"missing: {', '.join(missing)}"
            return [Check("package", False, told, self.install_hint())]
        return checks.run(self._clients, self._border, self._bucket, self.context.options)

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder, with moto's S3 beside it."""
        from ftbridge_bedrock.emulator import sandbox

        return sandbox()

    # -- private -----------------------------------------------------------------------------

    @cached_property
    def _clients(self) -> Clients:
        self.require_installed()
        return Clients(self.context.options, self._seconds("timeout_seconds", TIMEOUT_SECONDS))

    @property
    def _bedrock(self) -> Any:
        with self._border():
            return self._clients["bedrock"]

    @cached_property
    def _bucket(self) -> Bucket:
        return Bucket(lambda: self._clients["s3"], self._border, self.context.options)

    @property
    def _serving(self) -> Serving:
        patience = self._seconds("deploy_seconds", 3600.0)
        pause = min(self.poll_seconds, 15.0)
        return Serving(self._bedrock, self._border, self.context.options, patience, pause)

    def _border(self) -> AbstractContextManager[None]:
        return translated(lambda: self._clients.secrets)
