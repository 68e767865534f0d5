"""What the parts of the emulator share."""

from __future__ import annotations

from typing import TypeAlias

from ftbridge.testing.plumbing import Emulator

from .store import Store

NAMESPACE = "sandbox"
TOKEN = "hf_sandbox"  # noqa: S105 - a password of nothing
PAGE = 100
"""Entries on one page of a list; the vendor's number is not documented."""

Hub: TypeAlias = Emulator[Store]
