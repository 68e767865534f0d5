"""Chat templates as the families of open models write them, and tiny random models beside them.

Each of ``templates/`` was written here after the family's published format (Llama 3.1, Qwen 2.5,
Qwen 3, Mistral v3, Gemma 2, SmolLM2, Phi 3.5; model cards and prompt-format pages, read
2026-11-25), and keeps what a trainer may stumble over: where tools stand, what is said again, what
earlier turns lose.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Family:
    """A family: its marks, the end of a turn, its architecture; its template lies in a file."""

    marks: tuple[str, ...]
    end: str
    config: str
    bos: str | None = None
    eos: str | None = None
    calls: bool = True
    lead: str = ""
    """What the model has to write before an answer's own words."""


_IM = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
FAMILIES = {
    "gemma-2": Family(("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
                      "<end_of_turn>", "Gemma2Config", "<bos>", "<eos>", calls=False),
    "llama-3.1": Family(("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
                                 "<|eot_id|>"), "<|eot_id|>", "LlamaConfig",
                        "<|begin_of_text|>", "<|eot_id|>"),
    "mistral-v3": Family(("<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]",
                                   "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
                                   "[/TOOL_RESULTS]"), "</s>", "MistralConfig", "<s>", "</s>",
                         lead=" "),
    "phi-3.5": Family(("<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "<|endoftext|>"),
                      "<|end|>", "Phi3Config", None, "<|endoftext|>", calls=False),
    "qwen-2.5": Family(_IM, "<|im_end|>", "Qwen2Config", None, "<|im_end|>"),
    "qwen-3": Family(_IM, "<|im_end|>", "Qwen3Config", None, "<|im_end|>"),
    "smollm2": Family(_IM, "<|im_end|>", "LlamaConfig", None, "<|im_end|>", calls=False),
}  # fmt: skip


def tokenizer_of(name: str) -> Any:
    """Every byte a token, and the family's marks; padding is the end of turn, as is common."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    family = FAMILIES[name]

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        ["the card is here \n\n"],
        trainers.BpeTrainer(
            vocab_size=280, special_tokens=list(family.marks), show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )  # fmt: skip
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token=family.bos,
        eos_token=family.eos,
        pad_token=family.end,
        additional_special_tokens=[
            mark for mark in family.marks if mark not in (family.bos, family.eos, family.end)
        ],
        chat_template=(TEMPLATES / f"{name}.jinja").read_text("utf-8"),
    )


def build(folder: Path, name: str) -> Path:
    """A tiny random model of the family's architecture beside its tokenizer."""
    import torch
    import transformers

    tokenizer = tokenizer_of(name)
    torch.manual_seed(7)
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 16, "max_position_embeddings": 512, "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id, "bos_token_id": tokenizer.bos_token_id,
        "dtype": "float32",
    }  # fmt: skip
    config = getattr(transformers, FAMILIES[name].config)(**sizes)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
