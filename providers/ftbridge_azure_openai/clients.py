"""The SDK's client for each form of address and each credential. Imports ``openai``."""

from __future__ import annotations

import os
from collections.abc import Callable

from openai import AzureOpenAI, DefaultHttpxClient, OpenAI

from ftbridge.dialects import openai_keys
from ftbridge_azure_openai.settings import Address


def connect(address: Address, provider: Callable[[], str] | None, timeout: float) -> OpenAI:
    """A client without retries of its own: the job engine decides what may be repeated.

    Args:
        provider: gives an Entra token; None: ``AZURE_OPENAI_AD_TOKEN``, else the key.
    """
    token = None if provider else os.environ.get("AZURE_OPENAI_AD_TOKEN")
    key = None if provider or token else os.environ.get("AZURE_OPENAI_API_KEY")
    if address.api_version is not None:
        return AzureOpenAI(
            base_url=address.base_url,
            api_version=address.api_version,
            azure_ad_token_provider=provider,
            azure_ad_token=token,
            api_key=key,
            timeout=timeout,
            max_retries=0,
        )
    # The reference of the v1 form asks for the header `api-key`; a Bearer there is a token.
    hooks = openai_keys.in_header(address.base_url, "api-key", key) if key else {}
    return OpenAI(
        base_url=address.base_url,
        api_key=provider or token or key,
        http_client=DefaultHttpxClient(timeout=timeout, event_hooks=hooks),
        timeout=timeout,
        max_retries=0,
    )
