"""A tokenizer.json as GGUF's metadata: tokens, their kinds, merges, and how text is cut first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .errors import TrainerError

# How llama.cpp cuts text before the merges, by a mark that the tokenizer's own rule shows.
CUTS = (
    ("tekken", r"\p{Lu}\p{Lt}"),
    ("llama-bpe", r"\p{N}{1,3}"),
    ("qwen2", r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"),
)
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def write_vocabulary(writer: Any, model_dir: Path, size: int) -> None:
    """Add the tokenizer of a model's folder to a file.

    Args:
        size: the model's vocabulary; ids that the tokenizer does not use are filled up.

    Raises:
        TrainerError: where the tokenizer is none that llama.cpp knows by name.
    """
    from . import model as models

    written = json.loads((model_dir / "tokenizer.json").read_text("utf-8"))
    model = written["model"]
    if model.get("type") != "BPE":
        raise _unknown(f"a tokenizer of type {model.get('type')}")
    tokenizer = models.load_tokenizer(model_dir)
    if model.get("byte_fallback"):
        writer.add_tokenizer_model("llama")
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(_cut(written.get("pre_tokenizer") or {}))
        merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
        writer.add_token_merges(merges)
    tokens, kinds = _tokens(written, size)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if model.get("byte_fallback"):
        # The order of ids is that of the merges, which is what such scores stand for.
        writer.add_token_scores([-float(i) for i in range(size)])
    _special(writer, tokenizer)
    if tokenizer.chat_template:
        writer.add_chat_template(str(tokenizer.chat_template))


def _tokens(written: dict[str, Any], size: int) -> tuple[list[str], list[int]]:
    from gguf import TokenType

    tokens = [f"[PAD{i}]" for i in range(size)]
    kinds = [int(TokenType.UNUSED)] * size
    for text, i in written["model"]["vocab"].items():
        if i < size:
            byte = written["model"].get("byte_fallback") and _BYTE.fullmatch(text)
            tokens[i], kinds[i] = text, int(TokenType.BYTE if byte else TokenType.NORMAL)
    for added in written.get("added_tokens") or []:
        if added["id"] < size:
            kind = TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
            tokens[added["id"]], kinds[added["id"]] = added["content"], int(kind)
    return tokens, kinds


def _special(writer: Any, tokenizer: Any) -> None:
    """Which tokens begin and end, and whether a text begins with one by itself."""
    named = {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id,
             "pad": tokenizer.pad_token_id}  # fmt: skip
    for name, i in named.items():
        if i is not None:
            getattr(writer, f"add_{name}_token_id")(int(i))
    begins = tokenizer.bos_token_id is not None and tokenizer("a").input_ids[0] == named["bos"]
    writer.add_add_bos_token(bool(begins))


def _cut(rule: dict[str, Any]) -> str:
    """llama.cpp's name of the rule that cuts text before the merges."""
    text = json.dumps(rule, ensure_ascii=False).replace("\\\\", "\\")
    for name, mark in CUTS:
        if mark in text:
            return name
    parts = rule.get("pretokenizers") or [rule]
    kinds = [part.get("type") for part in parts]
    if kinds == ["Digits", "ByteLevel"] and parts[0].get("individual_digits"):
        return "smollm"
    if kinds == ["ByteLevel"]:
        return "gpt-2"
    raise _unknown("a rule for cutting text")


def _unknown(what: str) -> TrainerError:
    return TrainerError(
        "gguf_not_possible",
        f"the model has {what} that is not known here",
        "write the file with llama.cpp's own converter from the merged folder",
    )
