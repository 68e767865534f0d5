"""Unsloth's command line. Keys: unsloth 2026.10.9 (``unsloth_cli/config.py``), read 2026-11-25; it
trains chats and texts. It has no key for a validation file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftbridge.dataset.types import Kind
from ftbridge.handover import TRAIN, Handover, Recipe
from ftbridge.jobs.spec import Adapter
from ftbridge_local.handover.shared import lora, renamed

_LAYERS = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"


class Unsloth(Handover):
    """``unsloth train --config config.yaml``."""

    name = "unsloth"
    checked = "unsloth 2026.10.9"
    formats: ClassVar[Mapping[Kind, str]] = {Kind.CHAT: "trl", Kind.TEXT: "trl"}
    lacks = frozenset({"lr_scheduler", "max_grad_norm", "compute_dtype", "validation"})

    def config(self, recipe: Recipe) -> dict[str, Any]:
        """Four sections."""
        values = recipe.values
        training = {
            "training_type": "lora" if lora(recipe) else "full",
            "load_in_4bit": recipe.adapter is Adapter.QLORA,
            "output_dir": "outputs",
            "batch_size": recipe.micro_batch_size,
            "gradient_accumulation_steps": recipe.accumulation,
            "warmup_steps": recipe.warmup_steps,
            "train_on_completions": recipe.kind is Kind.CHAT,
            "gradient_checkpointing": "unsloth" if values["gradient_checkpointing"] else "none",
            **renamed(
                recipe,
                {
                    "max_length": "max_seq_length",
                    "n_epochs": "num_epochs",
                    "learning_rate": "learning_rate",
                    "weight_decay": "weight_decay",
                    "seed": "random_seed",
                    "packing": "packing",
                },
            ),
        }
        content: dict[str, Any] = {
            "model": recipe.model,
            "data": {
                "local_dataset": [TRAIN],
                "format_type": "raw" if recipe.kind is Kind.TEXT else "chatml",
            },
            "training": training,
        }
        if lora(recipe):
            content["lora"] = {
                "lora_r": values["lora_r"],
                "lora_alpha": int(values["lora_alpha"]),
                "lora_dropout": values["lora_dropout"],
                "target_modules": _LAYERS,
            }
        return content

    def command(self, recipe: Recipe) -> str:
        """Its own command line."""
        return "unsloth train --config config.yaml"


TARGET = Unsloth()
