"""Where Together is, who asks there, and the SDK's client for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ftbridge.errors import CredentialsError, ProviderError
from ftbridge.provider import Check, Provider

if TYPE_CHECKING:
    from together import Together

BASE_URL = "https://api.together.ai"
HOSTS = (".together.ai", ".together.xyz")
"""The vendor's domains: the second is the older name of the first."""
KEY = "TOGETHER_API_KEY"


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else ``TOGETHER_BASE_URL``, else the vendor's own address."""
    return options.get("base_url") or os.environ.get("TOGETHER_BASE_URL") or BASE_URL


def at_vendor(address: str) -> bool:
    """Whether the host is one of Together's."""
    return f".{urlsplit(address).hostname or ''}".endswith(HOSTS)


def account(address: str) -> str:
    """A short hash of the key; the address too where it is not the vendor's."""
    key = os.environ.get(KEY, "")
    hashed = f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-key"
    return hashed if at_vendor(address) else f"{hashed}@{address}"


def require_key() -> None:
    """Raise CredentialsError where no key is set."""
    if not os.environ.get(KEY):
        raise CredentialsError(
            "no Together key",
            hint=f"set {KEY}, or rehearse: `ftbridge sandbox together`",
            where=KEY,
        )


def checks(provider: Provider, package: str, ask: Callable[[], str]) -> list[Check]:
    """Packages, key, and one harmless call, which says in words what it has shown."""
    missing, key = provider.missing(), os.environ.get(KEY)
    found = [
        Check("package", not missing, f"missing: {', '.join(missing)}" if missing
              else f"{package} installed", provider.install_hint() if missing else ""),
        Check("key", bool(key), f"{KEY} is {'set' if key else 'not set'}",
              "" if key else f"set {KEY}"),
    ]  # fmt: skip
    if missing or not key:
        return found
    try:
        return [*found, Check("access", True, ask())]
    except ProviderError as error:
        return [*found, Check("access", False, error.message, error.hint)]


def connect(address: str, timeout: float) -> Together:
    """A client without retries of its own: the job engine decides what may be repeated.

    Args:
        address: with or without ``/v1``, with which all paths of the SDK begin.
        timeout: seconds.
    """
    from together import Together

    return Together(
        base_url=address.rstrip("/").removesuffix("/v1"), timeout=timeout, max_retries=0
    )
