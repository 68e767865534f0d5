"""Hashes that tell whether a row was trained on, without keeping the row."""

from __future__ import annotations

import hashlib

import msgspec

from ftbridge.dataset.types import Example, text_of


def fingerprint(example: Example) -> tuple[bytes, bytes]:
    """16-byte hashes of the whole example (without metadata) and of its prompt alone."""
    content = msgspec.json.encode(msgspec.structs.replace(example, metadata=None))
    return _hash(content), prompt_fingerprint(example)


def prompt_fingerprint(example: Example) -> bytes:
    """16-byte hash of what stands before the last assistant turn, case and spaces folded."""
    turns = [
        f"{message.role}\0{' '.join(text_of(message).casefold().split())}"
        for message in example.messages[:-1]
        if message.role != "system"
    ]
    return _hash("\0".join(turns).encode())


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
