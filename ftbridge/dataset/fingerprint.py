"""Hashes that tell whether a row was trained on, without keeping the row."""

from __future__ import annotations

import hashlib

import msgspec

from ftbridge.dataset.types import Example, Text, prompt_of, text_of, to_json


def fingerprint(example: Example) -> tuple[bytes, bytes]:
    """16-byte hashes of the whole example (without metadata) and of its prompt alone."""
    content = to_json(msgspec.structs.replace(example, metadata=None))
    return _hash(content), prompt_fingerprint(example)


def prompt_fingerprint(example: Example) -> bytes:
    """16-byte hash of what the model is given (for a text: all), case and spaces folded."""
    if isinstance(example, Text):
        return _hash(" ".join(example.text.casefold().split()).encode())
    turns = [
        f"{message.role}\0{' '.join(text_of(message).casefold().split())}"
        for message in prompt_of(example)
        if message.role != "system"
    ]
    return _hash("\0".join(turns).encode())


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
