"""Axolotl. Keys and data shapes: axolotl 0.19.0 (``utils/schemas``, ``prompt_strategies``), read
2026-11-25. Weights of turns are kept (``message_field_training``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftbridge.dataset.types import Example, Kind
from ftbridge.handover import TRAIN, VALIDATION, Handover, Recipe
from ftbridge.jobs.spec import Adapter
from ftbridge_local.handover.shared import lora, renamed, several_answers, uses_tools


class Axolotl(Handover):
    """``axolotl train config.yaml``."""

    name = "axolotl"
    checked = "axolotl 0.19.0"
    formats: ClassVar[Mapping[Kind, str]] = {
        Kind.CHAT: "axolotl",
        Kind.PREFERENCE: "axolotl",
        Kind.TEXT: "axolotl",
    }

    def config(self, recipe: Recipe) -> dict[str, Any]:
        """One flat mapping; the chat template is the tokenizer's own."""
        content: dict[str, Any] = {
            "base_model": recipe.model,
            "datasets": [_dataset(recipe.kind, TRAIN)],
        }
        if recipe.validation:
            content["test_datasets"] = [_dataset(recipe.kind, VALIDATION)]
        if recipe.kind is Kind.PREFERENCE:
            content |= {"rl": "dpo", "dpo_beta": recipe.values["beta"]}
        if lora(recipe):
            content |= {
                "adapter": str(recipe.adapter),
                "load_in_4bit": recipe.adapter is Adapter.QLORA,
                "lora_r": recipe.values["lora_r"],
                "lora_alpha": int(recipe.values["lora_alpha"]),
                "lora_dropout": recipe.values["lora_dropout"],
                "lora_target_linear": True,
            }
        names = {
            "max_length": "sequence_len", "packing": "sample_packing", "n_epochs": "num_epochs",
            "learning_rate": "learning_rate", "lr_scheduler": "lr_scheduler",
            "warmup_ratio": "warmup_ratio", "weight_decay": "weight_decay",
            "max_grad_norm": "max_grad_norm", "gradient_checkpointing": "gradient_checkpointing",
            "seed": "seed",
        }  # fmt: skip
        return {
            **content,
            "output_dir": "outputs",
            "dataset_prepared_path": "prepared",
            "micro_batch_size": recipe.micro_batch_size,
            "gradient_accumulation_steps": recipe.accumulation,
            "optimizer": "adamw_torch",
            "bf16": recipe.values["compute_dtype"] == "bf16",
            **renamed(recipe, names),
        }

    def command(self, recipe: Recipe) -> str:
        """As its documentation starts it."""
        return "axolotl train config.yaml"

    def unfit(self, example: Example) -> str | None:
        """Its preferences are one text against another."""
        if several_answers(example):
            return "axolotl reads the last message of an answer alone, and this one has several"
        if hasattr(example, "chosen") and uses_tools(example):
            return "axolotl's preferences have no tools"
        return None


def _dataset(kind: Kind, file: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"path": file, "ds_type": "json", "split": "train"}
    if kind is Kind.TEXT:
        return shape | {"type": "completion", "field": "text"}
    if kind is Kind.PREFERENCE:
        return shape | {
            "type": "chat_template.default",
            "field_messages": "prompt",
            "field_chosen": "chosen",
            "field_rejected": "rejected",
        }
    return shape | {
        "type": "chat_template",
        "field_messages": "messages",
        "field_tools": "tools",
        "roles_to_train": ["assistant"],
        "train_on_eos": "turn",
        "message_field_training": "weight",
    }


TARGET = Axolotl()
