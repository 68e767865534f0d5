"""TRL. Keys: trl 1.16.0 (``SFTConfig``, ``DPOConfig``, ``ModelConfig``, ``ScriptArguments``) and
transformers 5.24.0, read 2026-11-25."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftbridge.dataset.types import Kind
from ftbridge.handover import Handover, Recipe
from ftbridge.jobs.spec import Adapter
from ftbridge_local.handover.shared import hugging_face, lora


class Trl(Handover):
    """``trl sft --config config.yaml``, or ``trl dpo``."""

    name = "trl"
    checked = "trl 1.16.0"
    formats: ClassVar[Mapping[Kind, str]] = {
        Kind.CHAT: "trl",
        Kind.PREFERENCE: "trl",
        Kind.TEXT: "trl",
    }

    def config(self, recipe: Recipe) -> dict[str, Any]:
        """One flat mapping. A folder of data is read with the names of its files as splits."""
        content: dict[str, Any] = {
            "model_name_or_path": recipe.model,
            "dataset_name": "./data",
            "max_length": recipe.values["max_length"],
            "output_dir": "outputs",
        }
        if recipe.validation:
            content |= {"dataset_test_split": "validation", "eval_strategy": "epoch"}
        if lora(recipe):
            content |= {
                "use_peft": True,
                "load_in_4bit": recipe.adapter is Adapter.QLORA,
                "lora_r": recipe.values["lora_r"],
                "lora_alpha": int(recipe.values["lora_alpha"]),
                "lora_dropout": recipe.values["lora_dropout"],
                "lora_target_modules": ["all-linear"],
            }
        if recipe.kind is Kind.PREFERENCE:
            content["beta"] = recipe.values["beta"]
        else:
            content["packing"] = recipe.values["packing"]
        if recipe.kind is Kind.CHAT:
            content["assistant_only_loss"] = True
        return content | hugging_face(recipe)

    def command(self, recipe: Recipe) -> str:
        """Its own command line."""
        return f"trl {'dpo' if recipe.kind is Kind.PREFERENCE else 'sft'} --config config.yaml"


TARGET = Trl()
