"""What several trainers' configurations have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.dataset.types import Chat, Example, Preference
from ftbridge.handover import Recipe
from ftbridge.jobs.spec import Adapter


def renamed(recipe: Recipe, names: Mapping[str, str]) -> dict[str, Any]:
    """The recipe's values under a trainer's names, in the order of ``names``."""
    return {theirs: recipe.values[ours] for ours, theirs in names.items() if ours in recipe.values}


def hugging_face(recipe: Recipe) -> dict[str, Any]:
    """The keys of transformers' ``TrainingArguments`` (5.24.0), which several trainers extend."""
    return {
        **renamed(recipe, {"n_epochs": "num_train_epochs"}),
        "per_device_train_batch_size": recipe.micro_batch_size,
        "gradient_accumulation_steps": recipe.accumulation,
        **renamed(
            recipe,
            {
                "learning_rate": "learning_rate",
                "lr_scheduler": "lr_scheduler_type",
                "weight_decay": "weight_decay",
                "max_grad_norm": "max_grad_norm",
                "gradient_checkpointing": "gradient_checkpointing",
                "seed": "seed",
            },
        ),
        "warmup_steps": recipe.warmup_steps,
        "bf16": recipe.values["compute_dtype"] == "bf16",
        "logging_steps": 1,
        "report_to": "none",
    }


def lora(recipe: Recipe) -> bool:
    """Whether an adapter is trained."""
    return recipe.adapter is not Adapter.FULL


def uses_tools(example: Example) -> bool:
    """Whether an example has tools, calls or results."""
    if not isinstance(example, Chat | Preference):
        return False
    turns = (
        example.messages
        if isinstance(example, Chat)
        else [*example.prompt, *example.chosen, *example.rejected]
    )
    return bool(example.tools) or any(m.tool_calls or m.role == "tool" for m in turns)


def several_answers(example: Example) -> bool:
    """Whether a side of a preference is more than one message."""
    return isinstance(example, Preference) and max(len(example.chosen), len(example.rejected)) > 1
