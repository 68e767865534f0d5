"""Azure's settings in one place: which form of address, which training tier, which deployment.

Sources, read 2026-11-24: Microsoft's fine-tuning guide (learn.microsoft.com) for ``trainingType``
and its three values, and for the v1 and the classic form; ``openai`` 3.57.0 for the clients.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from ftbridge.errors import UsageError

TRAINING_TYPES = {
    "standard": "Standard",
    "global": "GlobalStandard",
    "developer": "developerTier",
}
"""Our words for a training tier, and Azure's. The odd spelling of the third is the only one that
the service takes; of the others, Microsoft's pages show several."""

TIERS = {"standard": "regional", "global": "global", "developer": "developer"}
"""A training or deployment tier, and what the price list calls it."""

GLOBAL_ONLY = frozenset({
    "gpt-oss-20b", "Ministral-3B", "Llama-3.3-70B-Instruct", "Qwen-3-32B",
})  # fmt: skip
"""Foundry's open models: they need ``trainingType`` with the global tier (sources in body.py)."""

PRICED_AS = {"Ministral-3B": "ministral-3b", "Llama-3.3-70B-Instruct": "llama-3.3-70b"}
"""What the price list calls a model, where it is not its id."""

VENDOR_HOSTS = (
    *(".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com"),
    ".openai.azure.us",
)

OPTIONS = frozenset({
    "api_version", "auth", "region", "training_type", "deployment", "deployment_type", "capacity",
    "subscription", "resource_group", "resource", "arm_url", "hosting_hours", "deploy_seconds",
})  # fmt: skip
"""Everything that ``--option`` takes here."""


class Address(NamedTuple):
    """Where the data plane is. ``api_version`` None: the v1 form, which has none."""

    base_url: str
    api_version: str | None

    @property
    def classic(self) -> bool:
        """Whether calls carry an ``api-version``."""
        return self.api_version is not None


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else ``AZURE_OPENAI_ENDPOINT``; empty where neither is set."""
    return options.get("base_url") or os.environ.get("AZURE_OPENAI_ENDPOINT") or ""


def address(options: Mapping[str, str]) -> Address:
    """The base URL of the form that the settings ask for.

    An API version asks for the classic form. An address that ends in ``/v1`` is taken as it is.
    """
    given = endpoint(options).rstrip("/")
    version = options.get("api_version") or os.environ.get("OPENAI_API_VERSION") or None
    if given.endswith("/v1"):
        return Address(given, None)
    root = given.removesuffix("/openai")
    return Address(f"{root}/openai" if version else f"{root}/openai/v1", version)


def at_vendor(options: Mapping[str, str]) -> bool:
    """Whether the host is one of Azure's."""
    return (urlsplit(endpoint(options)).hostname or "").endswith(VENDOR_HOSTS)


def training_type(options: Mapping[str, str]) -> str | None:
    """The training tier that is asked for; None: Azure's own default, which is the standard one."""
    return choice(options, "training_type", TRAINING_TYPES)


def choice(options: Mapping[str, str], name: str, known: Mapping[str, str]) -> str | None:
    """An option that is one of some words, or None where it is not set."""
    value = options.get(name)
    if value is not None and value not in known:
        raise UsageError(
            f"option {name}: `{value}` is none of {', '.join(known)}", where=name, hint="choose one"
        )
    return value


def whole(options: Mapping[str, str], name: str, default: int) -> int:
    """An option that is a whole number above 0."""
    text = options.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"option {name}: `{text}` is no whole number above 0", where=name)
    return int(text)


def credential(options: Mapping[str, str]) -> str | None:
    """Which credential is used, in words; the SDK's order: a token goes before a key."""
    if options.get("auth") == "entra":
        return "an Entra token from azure-identity"
    for name in ("AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_API_KEY"):
        if os.environ.get(name):
            return f"{name} is set"
    return None
