"""Data that may lie at a vendor already, told by the hash in the name that every upload has."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ftbridge.dataset import Dataset
from ftbridge.errors import ProviderError
from ftbridge.jobs.spec import DataRef

if TYPE_CHECKING:
    from ftbridge.provider import Provider

MARK = 24
"""Hexadecimal digits of the hash in :attr:`ftbridge.policy.CheckedUpload.name`."""


def fingerprint(provider: Provider, data: DataRef) -> tuple[str, int]:
    """A part of the name that an upload of the data has at the provider, and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    for numbered in Dataset(data.path).examples():
        line = provider.convert(numbered.example).line + b"\n"
        digest.update(line)
        size += len(line)
    return digest.hexdigest()[:MARK], size


def not_sent(provider: Provider, data: DataRef) -> ProviderError:
    """The error for a question that the vendor answers for uploaded data alone."""
    return ProviderError(
        f"{data.path} is not at {provider.name}, which prices uploaded files alone",
        hint="submit the job, which uploads it, or see `ftbridge compare`",
        code="no_quote",
    )
