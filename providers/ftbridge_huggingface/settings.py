"""Hugging Face's settings in one place: address, token, names, and the options of a job."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from ftbridge.errors import UsageError

VENDOR_URL = "https://huggingface.co"
TOKEN = "HF_TOKEN"  # noqa: S105 - the variable's name
BUCKET = "ftbridge"
ATTEMPTS = 3
"""How often a job is begun at most, so that it goes on after a machine was lost."""
MOST_ATTEMPTS = 10
OPTIONS = ("namespace", "bucket", "attempts", "pass_token")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}")


def endpoint(options: Mapping[str, str]) -> str:
    """Option ``base_url``, else ``HF_ENDPOINT``, else the vendor's own."""
    return options.get("base_url") or os.environ.get("HF_ENDPOINT") or VENDOR_URL


def at_vendor(options: Mapping[str, str]) -> bool:
    """Whether the host is one of huggingface.co."""
    host = urlsplit(endpoint(options)).hostname or ""
    return host == "huggingface.co" or host.endswith(".huggingface.co")


def token() -> str:
    """``HF_TOKEN``, else that of ``hf auth login``; empty where there is none."""
    given = os.environ.get(TOKEN)
    if given:
        return given
    try:
        from huggingface_hub import get_token
    except ImportError:
        return ""
    return get_token() or ""


def account(options: Mapping[str, str]) -> str:
    """The namespace where one is named, else a short hash of the token."""
    key = token()
    hashed = f"token-{hashlib.sha256(key.encode()).hexdigest()[:12]}" if key else "no-token"
    return options.get("namespace") or hashed


def bucket(options: Mapping[str, str]) -> str:
    """The bucket's name, without its namespace."""
    return name("bucket", options.get("bucket", BUCKET))


def name(option: str, text: str) -> str:
    """A name as the Hub takes them.

    Raises:
        UsageError: where it is none.
    """
    if not _NAME.fullmatch(text):
        raise UsageError(
            f"option {option}: `{text}` is no name of the Hub",
            hint="letters, digits, `-`, `_` and `.`, 96 at most, without the namespace",
            where=option,
        )
    return text


def attempts(options: Mapping[str, str]) -> int:
    """Option ``attempts``."""
    text = options.get("attempts", str(ATTEMPTS))
    if not text.isdigit() or not 1 <= int(text) <= MOST_ATTEMPTS:
        raise UsageError(
            f"option attempts: `{text}` is no whole number from 1 to {MOST_ATTEMPTS}",
            hint="it is how often the job is begun at most, each time from its last checkpoint",
            where="attempts",
        )
    return int(text)


def passes_token(options: Mapping[str, str]) -> bool:
    """Option ``pass_token``: whether the job gets the token, as a secret."""
    text = options.get("pass_token", "true")
    if text not in ("true", "false"):
        raise UsageError(
            f"option pass_token: `{text}` is neither true nor false", where="pass_token"
        )
    return text == "true"
