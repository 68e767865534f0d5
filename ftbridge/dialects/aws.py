"""What AWS's services have in common: clients of boto3, and its exceptions as ours.

botocore would repeat a create after a lost answer; whether that is safe is for ftbridge to say, so
its retries are off. Clients are safe to share between threads, but making one is not (boto3's
documentation). Credentials are never options: boto3 finds them as it always does (environment,
profile, SSO, instance role).
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ftbridge.errors import CredentialsError, NetworkError, UsageError, VendorError
from ftbridge.vendor_errors import Answer, translate

ROLE = re.compile(r"arn:aws(-[^:]+)?:iam::(\d{12}):role/.+")
PREFIX = re.compile(r"[-!_*'().a-z0-9A-Z]+(/[-!_*'().a-z0-9A-Z]+)*")
_CHECK = "check the network, the region, and AWS_ENDPOINT_URL if it is set"
_LOGIN = "log in (`aws sso login`, `aws configure`) or set AWS_ACCESS_KEY_ID and its secret"


REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
"""As us-east-1 or us-gov-west-1."""


def region(options: Mapping[str, str]) -> str:
    """Option ``region``, else AWS's own variables, else us-east-1.

    Raises:
        UsageError: it has not the form of AWS's regions.
    """
    named = (
        options.get("region")
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or "us-east-1"
    )
    if not REGION.fullmatch(named):
        raise UsageError(f"AWS has no region `{named}`", hint="as us-east-1", where="region")
    return named


def endpoint(service: str, options: Mapping[str, str]) -> str:
    """Where a service is spoken to: option ``base_url``, else boto3's variables, else AWS's own."""
    return (
        (options.get("base_url") if service != "s3" else None)
        or named(service)
        or f"https://{service}.{region(options)}.amazonaws.com"
    )


def named(service: str) -> str | None:
    """The address that the environment gives a service, if it does."""
    variable = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
    return os.environ.get(variable) or os.environ.get("AWS_ENDPOINT_URL")


def at_vendor(address: str) -> bool:
    """Whether a host is one of AWS's."""
    host = urlsplit(address).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def account(options: Mapping[str, str]) -> str:
    """The account's number, as the role's ARN has it; else a hash of the access key's id."""
    role = ROLE.fullmatch(options.get("role_arn", ""))
    if role:
        return role[2]
    key = os.environ.get("AWS_ACCESS_KEY_ID") or options.get("profile") or ""
    return f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-account"


def prefix(options: Mapping[str, str]) -> str:
    """Option ``prefix``: the folder in the bucket under which everything lies."""
    chosen = options.get("prefix", "ftbridge").strip("/")
    if not PREFIX.fullmatch(chosen):
        raise UsageError(f"option prefix: `{chosen}` is no prefix of S3 keys", where="prefix")
    return chosen


class Clients:
    """One session, and a client for each service that is asked for.

    Args:
        timeout: seconds for connecting, and for each wait for bytes.
        ours: the services that option ``base_url`` stands for; others keep boto3's own variables.
    """

    def __init__(self, options: Mapping[str, str], timeout: float, ours: tuple[str, ...]) -> None:
        self._options, self._timeout, self._ours = options, timeout, ours
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()

    def __getitem__(self, service: str) -> Any:
        """The client of a service, by boto3's name."""
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
                import botocore.session

                core = botocore.session.get_session()
                core.register_component("data_loader", _loader())
                self._made["session"] = boto3.session.Session(
                    botocore_session=core,
                    profile_name=self._options.get("profile"),
                    region_name=region(self._options),
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
            ignore_configured_endpoint_urls=True,  # of a profile: data goes where `endpoint` says
        )
        given = self._options.get("base_url") if service in self._ours else None
        return self.session.client(service, endpoint_url=given or named(service), config=config)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, as far as it is known without asking anybody."""
        found = self.session.get_credentials()
        return (found.secret_key, found.token) if found else ()


@cache
def _loader() -> Any:
    """One for all sessions: it keeps the service models, each of which takes a while to read."""
    import botocore.loaders
    import botocore.session

    core = botocore.session.get_session()
    return botocore.loaders.create_loader(core.get_config_variable("data_path"))


@contextmanager
def translated(folder: Path, clients: Clients) -> Iterator[None]:
    """Turn botocore's exceptions of the block into ftbridge's (botocore 1.43.117).

    Args:
        folder: where the provider's ``errors.toml`` lies.

    Raises:
        NetworkError: no answer, or one that was cut off: the outcome is not known.
        CredentialsError: none were found, or AWS refused them.
        UsageError: the request does not fit the service model; nothing was sent.
        VendorError: any other refusal, with what ``errors.toml`` says of it.
    """
    from botocore import exceptions
    from urllib3.exceptions import HTTPError

    try:
        yield
    except exceptions.ClientError as error:
        raise translate(folder, "AWS", _answer(error), clients.secrets) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError,
            exceptions.TokenRetrievalError, exceptions.CredentialRetrievalError,
            exceptions.SSOError, exceptions.ProfileNotFound) as error:  # fmt: skip
        raise CredentialsError(f"no usable AWS credentials: {error}", hint=_LOGIN) from None
    except exceptions.ParamValidationError as error:
        said = " ".join(str(error).split())
        raise UsageError(f"AWS's service model refuses the request: {said}") from None
    except (exceptions.BotoCoreError, exceptions.HTTPClientError, HTTPError, ValueError) as error:
        # Also what cannot be parsed, and what urllib3 says while a body is read.
        kind = type(error).__name__
        raise NetworkError(f"AWS did not give a whole answer ({kind})", hint=_CHECK) from None


def _answer(error: Any) -> Answer:
    said, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code = str(said.get("Code") or "")
    return Answer(
        status=int(about.get("HTTPStatusCode") or 0),
        code=code if code and not code.isdigit() else None,
        text=str(said.get("Message") or ""),
        request_id=about.get("RequestId"),
        headers=about.get("HTTPHeaders", {}),
    )


def whole(answer: dict[str, Any], *members: str) -> dict[str, Any]:
    """An answer that has its members: botocore takes a body that is no JSON for a message.

    Raises:
        NetworkError: a member is missing.
    """
    if not answer.keys() >= set(members):
        raise NetworkError("AWS's answer could not be read", hint=_CHECK)
    return answer


def code_of(error: VendorError) -> str:
    """AWS's code of a refusal, without the namespace that some services put before it."""
    return (error.vendor_code or "").rpartition("#")[2]
