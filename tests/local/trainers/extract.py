"""Each trainer's own schema, for the exports to be held against: run it where they install.

Prints JSON: key -> kinds of values. Made with axolotl 0.19.0, llamafactory 0.9.5, trl 1.16.0,
unsloth 2026.10.9 and torchtune 0.6.1 from PyPI; kept in ``schemas.json``, since these five cannot
all live in one environment.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import sys
import types
import typing
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).with_name("schemas.json")


def kinds(annotation: Any) -> list[str]:
    """The JSON kinds that an annotation takes; ``any`` where it does not tell."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return kinds(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return sorted({type(each).__name__ for each in typing.get_args(annotation)})
    if origin in (typing.Union, types.UnionType):
        return sorted({kind for each in typing.get_args(annotation) for kind in kinds(each)})
    if origin in (list, dict):
        return [origin.__name__]
    if isinstance(annotation, type):
        if annotation in (bool, int, float, str, type(None), dict, list):
            return [annotation.__name__]
        if issubclass(annotation, enum.Enum) or annotation is Path:
            return ["str"]
        if hasattr(annotation, "model_fields"):
            return ["dict"]
    return ["any"]


def of_model(model: Any) -> dict[str, list[str]]:
    """The fields of a pydantic model."""
    return {name: kinds(each.annotation) for name, each in model.model_fields.items()}


def of_dataclasses(*classes: Any) -> dict[str, list[str]]:
    """The fields of dataclasses that are read from one mapping."""
    return {
        each.name: kinds(typing.get_type_hints(one).get(each.name, Any))
        for one in classes
        for each in dataclasses.fields(one)
        if each.init
    }


def everything() -> dict[str, dict[str, Any]]:
    """Every schema, whole."""
    from axolotl.utils.schemas.config import AxolotlInputConfig
    from axolotl.utils.schemas.datasets import DPODataset, SFTDataset
    from llamafactory import hparams
    from torchtune import datasets, training
    from torchtune.models import gemma, gemma2, llama3, llama3_1, llama3_2, mistral, qwen2_5
    from trl import DPOConfig, ModelConfig, ScriptArguments, SFTConfig
    from unsloth_cli import config as unsloth

    def parameters(component: Any) -> dict[str, list[str]]:
        return {name: ["any"] for name in inspect.signature(component).parameters}

    tuned = [
        llama3_1.lora_llama3_1_8b, llama3_2.lora_llama3_2_1b,
        qwen2_5.lora_qwen2_5_0_5b, mistral.lora_mistral_7b,
        gemma2.lora_gemma2_2b, qwen2_5.qwen2_5_0_5b,
        qwen2_5.lora_qwen2_5_7b_instruct, qwen2_5.qwen2_5_tokenizer,
        llama3.llama3_tokenizer, mistral.mistral_tokenizer,
        gemma.gemma_tokenizer, datasets.chat_dataset, datasets.text_completion_dataset,
        training.FullModelHFCheckpointer, training.get_cosine_schedule_with_warmup,
    ]  # fmt: skip
    trainers = [
        hparams.ModelArguments, hparams.DataArguments, hparams.TrainingArguments,
        hparams.FinetuningArguments, hparams.GeneratingArguments,
    ]  # fmt: skip
    return {
        "axolotl": {"": of_model(AxolotlInputConfig), "datasets": of_model(SFTDataset),
                    "datasets (dpo)": of_model(DPODataset)},
        "llamafactory": {"": of_dataclasses(*trainers)},
        "torchtune": {each.__name__: parameters(each) for each in tuned},
        "trl": {"sft": of_dataclasses(ScriptArguments, SFTConfig, ModelConfig),
                "dpo": of_dataclasses(ScriptArguments, DPOConfig, ModelConfig)},
        "unsloth": {"": of_model(unsloth.Config), "data": of_model(unsloth.DataConfig),
                    "training": of_model(unsloth.TrainingConfig),
                    "lora": of_model(unsloth.LoraConfig)},
    }  # fmt: skip


if __name__ == "__main__":
    json.dump(everything(), sys.stdout, sort_keys=True)
