"""boto3's clients, made once each, without retries of their own.

botocore would repeat a create after a lost answer; whether that is safe is for ftbridge to say.
Clients are safe to share between threads, but making one is not (boto3's documentation).
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from typing import Any

from ftbridge.dialects import aws
from ftbridge_bedrock import settings


class Clients:
    """One session, and a client for each service that is asked for.

    Args:
        timeout: seconds for connecting, and for each wait for bytes.
    """

    def __init__(self, options: Mapping[str, str], timeout: float) -> None:
        self._options, self._timeout = options, timeout
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()

    def __getitem__(self, service: str) -> Any:
        """The client of ``bedrock``, ``bedrock-runtime``, ``s3`` or ``sts``."""
        with self._lock:
            if service not in self._made:
                made = self._client(service)
                weakref.finalize(self, made.close)  # or its sockets stay open until the end
                self._made[service] = made
            return self._made[service]

    @property
    def session(self) -> Any:
        """boto3's session: profile and region, and whoever finds credentials."""
        with self._lock:
            if "session" not in self._made:
                import boto3

                self._made["session"] = boto3.session.Session(
                    profile_name=self._options.get("profile"),
                    region_name=settings.region(self._options),
                )
            return self._made["session"]

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=self._timeout,
            read_timeout=self._timeout,
            retries={"total_max_attempts": 1},
            max_pool_connections=32,
            user_agent_extra="ftbridge",
            ignore_configured_endpoint_urls=True,  # of a profile: the policy sees what is in use
        )
        # An address of ours stands for all of Bedrock; S3 and STS keep boto3's own variables.
        given = self._options.get("base_url") if service.startswith("bedrock") else None
        return self.session.client(service, endpoint_url=given or aws.named(service), config=config)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, as far as it is known without asking anybody."""
        found = self.session.get_credentials()
        return (found.secret_key, found.token) if found else ()
