"""torchtune, whose configuration names the builder of each known model. Recipes, components and
files: torchtune 0.6.1, read 2026-11-25 (its README: no longer actively maintained)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from ftbridge.dataset.types import Example, Kind
from ftbridge.errors import Unsupported
from ftbridge.handover import TRAIN, Handover, Recipe
from ftbridge.jobs.spec import Adapter
from ftbridge_local.handover.shared import lora, uses_tools


class _Family(NamedTuple):
    """How torchtune builds a family: builder names end in the size; tokenizer and its files."""

    pattern: str
    module: str
    stem: str
    sizes: tuple[str, ...]
    tokenizer: str
    files: dict[str, str]
    model_type: str
    one_builder: frozenset[str] | None = None
    """Where base and instruct have builders of their own: the sizes that share one."""


_BPE = {"path": "vocab.json", "merges_file": "merges.txt"}
_FAMILIES = (
    _Family(r"llama-?3\.1-(\d+b)", "llama3_1", "llama3_1", ("8b", "70b"),
            "llama3.llama3_tokenizer", {"path": "original/tokenizer.model"}, "LLAMA3"),
    _Family(r"llama-?3\.2-(\d+b)", "llama3_2", "llama3_2", ("1b", "3b"),
            "llama3.llama3_tokenizer", {"path": "original/tokenizer.model"}, "LLAMA3_2"),
    _Family(r"qwen2\.5-(\d+(?:\.\d+)?b)", "qwen2_5", "qwen2_5",
            ("0_5b", "1_5b", "3b", "7b", "14b", "32b", "72b"),
            "qwen2_5.qwen2_5_tokenizer", _BPE, "QWEN2", frozenset({"0_5b", "3b"})),
    _Family(r"mistral-(\d+b)", "mistral", "mistral", ("7b",),
            "mistral.mistral_tokenizer", {"path": "tokenizer.model"}, "MISTRAL"),
    _Family(r"gemma-2-(\d+b)", "gemma2", "gemma2", ("2b", "9b", "27b"),
            "gemma.gemma_tokenizer", {"path": "tokenizer.model"}, "GEMMA2"),
)  # fmt: skip


class Torchtune(Handover):
    """``tune run RECIPE --config config.yaml``."""

    name = "torchtune"
    checked = "torchtune 0.6.1"
    formats: ClassVar[Mapping[Kind, str]] = {Kind.CHAT: "trl", Kind.TEXT: "trl"}
    lacks = frozenset({"lr_scheduler", "validation"})

    def config(self, recipe: Recipe) -> dict[str, Any]:
        """Components by their Python names."""
        family, size = _family(recipe)
        values, folder = recipe.values, recipe.folder
        assert folder is not None
        prefix = "lora_" if lora(recipe) else ""
        builder = f"{prefix}{family.stem}_{size}{_ending(family, size, recipe)}"
        files = {key: str(folder / file) for key, file in family.files.items()}
        return {
            "output_dir": "outputs",
            "model": {
                "_component_": f"torchtune.models.{family.module}.{builder}",
                **(_adapter(recipe) if prefix else {}),
            },
            "tokenizer": {
                "_component_": f"torchtune.models.{family.tokenizer}",
                **files,
                "max_seq_len": values["max_length"],
            },
            "checkpointer": {
                "_component_": "torchtune.training.FullModelHFCheckpointer",
                "checkpoint_dir": str(folder),
                "checkpoint_files": sorted(file.name for file in folder.glob("*.safetensors")),
                "recipe_checkpoint": None,
                "output_dir": "outputs",
                "model_type": family.model_type,
            },
            "resume_from_checkpoint": False,
            "dataset": _dataset(recipe),
            **_training(recipe),
        }

    def command(self, recipe: Recipe) -> str:
        """The recipe for one device."""
        kind = "lora_finetune" if lora(recipe) else "full_finetune"
        return f"tune run {kind}_single_device --config config.yaml"

    def unfit(self, example: Example) -> str | None:
        """Its reader of OpenAI's messages takes texts alone."""
        return "torchtune's chats have no tools" if uses_tools(example) else None


def _family(recipe: Recipe) -> tuple[_Family, str]:
    if recipe.folder is None:
        raise Unsupported(
            f"torchtune reads the weights' own files, and {recipe.model} is not on this machine",
            hint=f"bring it with `ftbridge models fetch {recipe.model}`, or give --model FOLDER",
            where="--model",
        )
    words = f"{recipe.model} {recipe.folder.name}".lower()
    for family in _FAMILIES:
        found = re.search(family.pattern, words)
        size = found[1].replace(".", "_") if found else ""
        if size in family.sizes:
            return family, size
    known = ", ".join(f"{f.module} ({', '.join(f.sizes)})" for f in _FAMILIES)
    raise Unsupported(
        f"torchtune 0.6.1 builds no model that the name {recipe.model} tells",
        hint=f"known by name: {known}; or export to trl or axolotl, which take any model",
        where="--model",
    )


def _ending(family: _Family, size: str, recipe: Recipe) -> str:
    if family.one_builder is None or size in family.one_builder:
        return ""
    return "_instruct" if "instruct" in f"{recipe.model} {recipe.folder}".lower() else "_base"


def _adapter(recipe: Recipe) -> dict[str, Any]:
    values = recipe.values
    return {
        "lora_attn_modules": ["q_proj", "k_proj", "v_proj", "output_proj"],
        "apply_lora_to_mlp": True,
        "lora_rank": values["lora_r"],
        "lora_alpha": values["lora_alpha"],
        "lora_dropout": values["lora_dropout"],
        "quantize_base": recipe.adapter is Adapter.QLORA,
    }


def _dataset(recipe: Recipe) -> dict[str, Any]:
    shape: dict[str, Any] = {"source": "json", "data_files": TRAIN, "split": "train"}
    shape["packed"] = recipe.values["packing"]
    if recipe.kind is Kind.TEXT:
        return {
            "_component_": "torchtune.datasets.text_completion_dataset",
            "column": "text",
            **shape,
        }
    return {
        "_component_": "torchtune.datasets.chat_dataset",
        "conversation_column": "messages",
        "conversation_style": "openai",
        "train_on_input": False,
        **shape,
    }


def _training(recipe: Recipe) -> dict[str, Any]:
    values = recipe.values
    return {
        "seed": values["seed"],
        "shuffle": True,
        "epochs": values["n_epochs"],
        "max_steps_per_epoch": None,
        "batch_size": recipe.micro_batch_size,
        "gradient_accumulation_steps": recipe.accumulation,
        "optimizer": {
            "_component_": "torch.optim.AdamW",
            "weight_decay": values["weight_decay"],
            "lr": values["learning_rate"],
        },
        # the full recipe takes it too, from 0.6 on
        "lr_scheduler": {
            "_component_": "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup",
            "num_warmup_steps": recipe.warmup_steps,
        },
        "optimizer_in_bwd": False,
        "loss": {"_component_": "torchtune.modules.loss.CEWithChunkedOutputLoss"},
        "clip_grad_norm": values["max_grad_norm"],
        "device": "cuda",
        "dtype": values["compute_dtype"],
        "enable_activation_checkpointing": values["gradient_checkpointing"],
        "enable_activation_offloading": False,
        "compile": False,
        "metric_logger": {
            "_component_": "torchtune.training.metric_logging.DiskLogger",
            "log_dir": "outputs/logs",
        },
        "log_every_n_steps": 1,
        "log_peak_memory_stats": False,
    }


TARGET = Torchtune()
