"""Where Mistral is, who asks there, and the two clients for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ftbridge.errors import CredentialsError, ProviderError
from ftbridge.provider import Check, Provider

if TYPE_CHECKING:
    import httpx
    from mistralai.client import Mistral

BASE_URL = "https://api.mistral.ai"
KEY = "MISTRAL_API_KEY"


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url`` (with or without ``/v1``), else the vendor's own."""
    return options.get("base_url") or BASE_URL


def at_vendor(address: str) -> bool:
    """Whether the host is one of mistral.ai."""
    return f".{urlsplit(address).hostname or ''}".endswith(".mistral.ai")


def account(address: str) -> str:
    """A short hash of the key; the address too where it is not the vendor's."""
    key = os.environ.get(KEY, "")
    hashed = f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-key"
    return hashed if at_vendor(address) else f"{hashed}@{address}"


def require_key() -> None:
    """Raise CredentialsError where no key is set."""
    if not os.environ.get(KEY):
        raise CredentialsError(
            "no Mistral key",
            hint=f"set {KEY}, or rehearse: `ftbridge sandbox mistral`",
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


def raw_client(address: str, timeout: float) -> httpx.Client:
    """A client for the routes that the SDK has lost; ``timeout`` in seconds."""
    import httpx

    headers = {"Authorization": f"Bearer {os.environ[KEY]}"}
    return httpx.Client(base_url=_root(address), headers=headers, timeout=timeout)


def sdk_client(address: str, timeout: float) -> Mistral:
    """The SDK's client. Without a retry_config it never repeats: that is the job engine's."""
    from mistralai.client import Mistral

    return Mistral(
        api_key=os.environ[KEY], server_url=_root(address), timeout_ms=int(timeout * 1000)
    )


def _root(address: str) -> str:
    return address.rstrip("/").removesuffix("/v1")
