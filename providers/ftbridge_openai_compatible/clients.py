"""The SDK's client for a server that is not OpenAI's. Imports the SDK: only inside methods."""

from __future__ import annotations

from openai import DefaultHttpxClient, OpenAI

from ftbridge.dialects import openai_keys


def connect(address: str, key: str, header: str, timeout: float) -> OpenAI:
    """A client without retries of its own: the job engine decides what may be repeated.

    Args:
        header: the header that the key goes in; empty: ``Authorization: Bearer``.
    """
    hooks = openai_keys.in_header(address, header, key) if header else {}
    return OpenAI(
        base_url=address,
        api_key=key,
        http_client=DefaultHttpxClient(timeout=timeout, event_hooks=hooks),
        timeout=timeout,
        max_retries=0,
    )
