"""OpenAI through its own SDK (``openai`` 3.57.0, read 2026-11-24). Not run against the live
service: no account was at hand; the path runs against ``emulator.py``."""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.dialects import openai as dialect
from ftbridge.dialects import openai_reinforcement
from ftbridge.dialects.openai_speaker import OpenAISpeaker
from ftbridge.errors import CredentialsError, UsageError
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge.provider import Check, Sandbox
from ftbridge.vendor_errors import unless_gone
from ftbridge_openai.convert import FORMAT
from ftbridge_openai.failures import translated

if TYPE_CHECKING:
    from openai import OpenAI

BASE_URL = "https://api.openai.com/v1"
TIMEOUT_SECONDS = 60.0


class OpenAIProvider(OpenAISpeaker):
    """OpenAI's fine-tuning API."""

    name = "openai"
    kind = "managed"
    extra = "openai"
    folder = Path(__file__).parent
    format = FORMAT
    absent: ClassVar[Mapping[str, str]] = {
        "delete": "OpenAI keeps job records; `ftbridge delete` and `ftbridge purge` take the rest",
        "quote": "OpenAI gives no price before a job; see `ftbridge compare`",
        "deploy": "OpenAI needs no deployment; ask the tuned model by its name",
        "undeploy": "OpenAI has no deployments of tuned models",
        "download": "OpenAI does not give weights out",
    }

    # -- facts -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Option ``base_url``, else ``OPENAI_BASE_URL``, else the vendor's own."""
        option = self.context.options.get("base_url")
        return option or os.environ.get("OPENAI_BASE_URL") or BASE_URL

    @property
    def at_vendor(self) -> bool:
        """Whether the host is one of openai.com."""
        host = urlsplit(self.endpoint).hostname or ""
        return host == "openai.com" or host.endswith(".openai.com")

    @property
    def account(self) -> str:
        """Organisation and project where set, else a short hash of the key; the address too
        where it is not the vendor's."""
        named = [os.environ.get(name, "") for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID")]
        key = os.environ.get("OPENAI_API_KEY", "")
        hashed = f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-key"
        account = "/".join(named) if any(named) else hashed
        return account if self.at_vendor else f"{account}@{self.endpoint}"

    # -- before the job ----------------------------------------------------------------------

    def request(
        self, spec: JobSpec, training: str, validation: str | None, key: str
    ) -> dict[str, Any]:
        """The create body, with the user's tags beside the key in ``metadata``."""
        limit = self.catalogue().limits.max_suffix
        if spec.suffix and limit and len(spec.suffix) > limit:
            raise UsageError(f"the suffix is longer than {limit} characters", where="suffix")
        dialect.check_options(spec, dialect.OPTIONS)
        dialect.check_tags(spec.tags)
        body = dialect.create_body(spec, training, validation, key)
        body["metadata"] |= spec.tags
        return body

    # -- the model ---------------------------------------------------------------------------

    def delete_model(self, model: str) -> None:
        """DELETE /models/{id}; one that is gone already is what was wanted."""
        with unless_gone(), self._translated():
            self._client.models.delete(model)

    def explain(self, spec: JobSpec) -> list[str]:
        """That nobody knows the cost of reinforcement before."""
        return openai_reinforcement.warnings(spec)

    def billing(self, spec: JobSpec, tokens: TokenCount) -> list[Quantity]:
        """Tokens times epochs; reinforcement by the hour."""
        if spec.method is Method.RL:
            return openai_reinforcement.billing(spec)
        return super().billing(spec, tokens)

    # -- access ------------------------------------------------------------------------------

    def require_ready(self) -> None:
        """Packages and a key must be there."""
        self.require_installed()
        if not os.environ.get("OPENAI_API_KEY"):
            raise CredentialsError(
                "no OpenAI key",
                hint="set OPENAI_API_KEY, rehearse with `ftbridge sandbox openai`, or train "
                "without any key: --provider local",
                where="OPENAI_API_KEY",
            )

    def doctor(self) -> list[Check]:
        """Package, key, and one harmless call."""
        missing = self.missing()
        key = os.environ.get("OPENAI_API_KEY", "")
        checks = [
            Check("package", not missing, "openai is installed" if not missing else "missing",
                  "" if not missing else self.install_hint()),
            Check("key", bool(key), f"OPENAI_API_KEY is {'set' if key else 'not set'}",
                  "" if key else "set OPENAI_API_KEY"),
        ]  # fmt: skip
        if missing or not key:
            return checks
        return [*checks, self._access()]

    @classmethod
    def sandbox(cls) -> Sandbox:
        """The emulator in this folder."""
        from ftbridge_openai.emulator import create_app

        return Sandbox(
            app=lambda speed, latency: create_app(speed=speed, latency=latency),
            variables=lambda url: {
                "OPENAI_BASE_URL": f"{url}/v1",
                "OPENAI_API_KEY": "sk-sandbox",
                "FTBRIDGE_OPENAI_SETTLE_SECONDS": "2",
                "FTBRIDGE_OPENAI_POLL_SECONDS": "0.5",
            },
        )

    # -- private -----------------------------------------------------------------------------

    def _translated(self) -> AbstractContextManager[None]:
        return translated()

    @cached_property
    def _client(self) -> OpenAI:
        self.require_ready()
        from openai import OpenAI

        # Retries are the job engine's: the SDK would repeat a create and a lost upload.
        timeout = self._seconds("timeout_seconds", TIMEOUT_SECONDS)
        client = OpenAI(base_url=self.endpoint, timeout=timeout, max_retries=0)
        weakref.finalize(self, client.close)  # or its sockets stay open until the process ends
        return client
