"""LLaMA-Factory. Keys and data shapes: llamafactory 0.9.5 (``hparams``, ``data/parser.py``), read
2026-11-25."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftbridge.dataset.types import Kind
from ftbridge.handover import TRAIN, VALIDATION, Handover, Recipe
from ftbridge.jobs.spec import Adapter
from ftbridge_local.handover.shared import hugging_face, lora


class LlamaFactory(Handover):
    """``llamafactory-cli train config.yaml``."""

    name = "llamafactory"
    checked = "llamafactory 0.9.5"
    formats: ClassVar[Mapping[Kind, str]] = {
        Kind.CHAT: "sharegpt",
        Kind.PREFERENCE: "sharegpt",
        Kind.TEXT: "canonical",
    }

    def config(self, recipe: Recipe) -> dict[str, Any]:
        """One flat mapping; the template is read off the tokenizer where none is named."""
        stage = {Kind.TEXT: "pt", Kind.PREFERENCE: "dpo"}.get(recipe.kind, "sft")
        content: dict[str, Any] = {
            "model_name_or_path": recipe.model,
            "stage": stage,
            "do_train": True,
            "finetuning_type": "lora" if lora(recipe) else "full",
            "dataset_dir": ".",
            "dataset": "ftbridge_train",
            "cutoff_len": recipe.values["max_length"],
            "packing": recipe.values["packing"],
            "neat_packing": recipe.values["packing"],
            "output_dir": "outputs",
        }
        if recipe.validation:
            content |= {"eval_dataset": "ftbridge_validation", "eval_strategy": "epoch"}
        if recipe.adapter is Adapter.QLORA:
            content |= {"quantization_bit": 4, "quantization_method": "bnb"}
        if lora(recipe):
            content |= {
                "lora_rank": recipe.values["lora_r"],
                "lora_alpha": int(recipe.values["lora_alpha"]),
                "lora_dropout": recipe.values["lora_dropout"],
                "lora_target": "all",
            }
        if recipe.kind is Kind.PREFERENCE:
            content |= {"pref_beta": recipe.values["beta"], "pref_loss": "sigmoid"}
        return content | hugging_face(recipe)

    def command(self, recipe: Recipe) -> str:
        """As its documentation starts it."""
        return "llamafactory-cli train config.yaml"

    def beside(self, recipe: Recipe) -> dict[str, Mapping[str, Any]]:
        """``dataset_info.json``, without which it knows no data."""
        files = {"ftbridge_train": TRAIN}
        if recipe.validation:
            files["ftbridge_validation"] = VALIDATION
        return {
            "dataset_info.json": {
                name: {"file_name": file, **_shape(recipe.kind)} for name, file in files.items()
            }
        }


def _shape(kind: Kind) -> dict[str, Any]:
    if kind is Kind.TEXT:
        return {"columns": {"prompt": "text"}}
    columns = {"messages": "conversations", "tools": "tools"}
    if kind is Kind.PREFERENCE:
        sides = {"chosen": "chosen", "rejected": "rejected"}
        return {"formatting": "sharegpt", "ranking": True, "columns": columns | sides}
    return {"formatting": "sharegpt", "columns": columns}


TARGET = LlamaFactory()
