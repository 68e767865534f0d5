"""Bodies and limits, from the SDK's types (``FinetuneRequest``, ``FineTuningModelLimits``...).

Bounds that depend on the model are those of the limits answer; their numbers are examples.
"""

from __future__ import annotations

from typing import Any

from ftbridge.testing.wire import Anything, Field, Flag, Items, Number, Record, Tagged, Text

from .errors import ApiError, from_problem

MODELS = {
    "Qwen/Qwen3.5-9B": True,
    "deepseek-ai/DeepSeek-V4-Flash": False,
    "deepseek-ai/DeepSeek-V3.1": False,
    "nvidia/Nemotron-3-Nano-Omni-30B-A3B-Reasoning-BF16": False,
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16": False,
    "Qwen/Qwen3.5-397B-A17B": False,
    "Qwen/Qwen3.5-122B-A10B": False,
    "Qwen/Qwen3.5-35B-A3B": False,
    "Qwen/Qwen3.5-35B-A3B-Base": False,
    "Qwen/Qwen3.5-27B": True,
    "Qwen/Qwen3.5-4B": True,
    "Qwen/Qwen3.5-2B": True,
    "Qwen/Qwen3.5-0.8B": True,
    "Qwen/Qwen3.6-35B-A3B": False,
    "Qwen/Qwen3.6-27B": True,
    "moonshotai/Kimi-K2.7-Code": False,
    "moonshotai/Kimi-K2.6": False,
    "zai-org/GLM-5.1": False,
    "openai/gpt-oss-20b": False,
    "openai/gpt-oss-120b": False,
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": False,
    "meta-llama/Llama-4-Scout-17B-16E-Instruct-VLM": False,
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct": False,
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-VLM": False,
    "meta-llama/Llama-3.3-70B-Instruct-Reference": True,
    "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference": True,
    "google/gemma-4-31B-it": True,
    "google/gemma-4-31B-it-VLM": True,
    "google/gemma-4-26B-A4B-it": False,
    "mistralai/Mixtral-8x7B-Instruct-v0.1": True,
    "Qwen/Qwen3.8-27B": False,
}
"""Model -> whether full training is possible there."""

_text, _flag, _number = Field(Text()), Field(Flag()), Field(Number(least=0))
_count = Field(Number(integer=True, least=0))
_TYPES = Tagged("type", {
    "Full": Record({}),
    "Lora": Record({
        "lora_r": Field(Number(integer=True, least=1), required=True),
        "lora_alpha": Field(Number(integer=True, least=1), required=True),
        "lora_dropout": _number,
        "lora_trainable_modules": _text,
    }),
})  # fmt: skip


class _AutoFlag(Flag):
    def problems(self, value: Any, path: str) -> Any:
        return iter(()) if value == "auto" else super().problems(value, path)


_METHODS = Tagged("method", {
    "sft": Record({"train_on_inputs": Field(_AutoFlag(), required=True)}),
    "dpo": Record({
        "dpo_beta": _number,
        "dpo_normalize_logratios_by_length": _flag,
        "dpo_reference_free": _flag,
        "rpo_alpha": _number,
        "simpo_gamma": _number,
    }),
})  # fmt: skip
_SCHEDULERS = Tagged("lr_scheduler_type", {
    "linear": Record({"lr_scheduler_args": Field(Record({"min_lr_ratio": _number}))}),
    "cosine": Record({"lr_scheduler_args": Field(Record({
        "min_lr_ratio": _number, "num_cycles": Field(Number(above=0)),
    }))}),
})  # fmt: skip
CREATE = Record({
    "training_file": Field(Text(shortest=1), required=True),
    **dict.fromkeys((
        "model", "validation_file", "from_checkpoint", "from_hf_model", "hf_model_revision",
        "hf_api_token", "hf_output_repo_name", "wandb_key", "wandb_base_url",
        "wandb_project_name", "wandb_name", "wandb_entity",
    ), _text),
    **dict.fromkeys((
        "max_seq_length", "n_evals", "gradient_accumulation_steps",
        "early_stopping_patience", "early_stopping_warmup_evals",
    ), _count),
    "suffix": Field(Text(longest=40)),
    "packing": _flag,
    "n_epochs": Field(Number(integer=True, least=1)),
    "n_checkpoints": Field(Number(integer=True, least=1)),
    "batch_size": Field(Number(integer=True, least=1, words=("max",))),
    "learning_rate": Field(Number(above=0)),
    "lr_scheduler": Field(_SCHEDULERS),
    "warmup_ratio": Field(Number(least=0, most=1)),
    "max_grad_norm": _number,
    "weight_decay": _number,
    "random_seed": Field(Number(integer=True)),
    "early_stopping_enabled": _flag,
    "early_stopping_min_delta": _number,
    "training_type": Field(_TYPES),
    "training_method": Field(_METHODS),
    "multimodal_params": Field(Record({"train_vision": _flag})),
})  # fmt: skip
ESTIMATE = Record({
    "training_file": Field(Text(shortest=1), required=True),
    **dict.fromkeys(("model", "validation_file", "from_checkpoint"), _text),
    "n_epochs": Field(Number(integer=True, least=1)),
    "n_evals": _count,
    "training_type": Field(_TYPES, nullable=True),
    "training_method": Field(_METHODS),
})  # fmt: skip
_any = Field(Anything())
CHAT = Record({
    "model": Field(Text(shortest=1), required=True),
    "messages": Field(Items(Record({
        "role": Field(Text(choices=("system", "user", "assistant", "tool")), required=True),
    }, open=True), shortest=1), required=True),
    **dict.fromkeys((
        "chat_template_kwargs", "compliance", "context_length_exceeded_behavior", "echo",
        "frequency_penalty", "function_call", "logit_bias", "logprobs", "min_p",
        "presence_penalty", "reasoning", "reasoning_effort", "repetition_penalty",
        "response_format", "safety_model", "stop", "tool_choice", "tools", "top_k", "top_p",
    ), _any),
    "n": Field(Number(integer=True, least=1, most=128)),
    "max_tokens": _count,
    "seed": Field(Number(integer=True)),
    "temperature": _number,
    "stream": _flag,
})  # fmt: skip


def check(rule: Record, body: Any) -> dict[str, Any]:
    """The body, or the first thing that is wrong with it."""
    for problem in rule.problems(body):
        raise from_problem(problem)
    checked: dict[str, Any] = body
    return checked


def limits(model: str) -> dict[str, Any]:
    """GET /fine-tunes/models/limits for a model that can be tuned."""
    full = MODELS[model]
    sizes = {"max_batch_size": 32, "max_batch_size_dpo": 16, "min_batch_size": 8}
    modules = ["k_proj", "up_proj", "o_proj", "q_proj", "down_proj", "v_proj", "gate_proj"]
    lora = {**sizes, "default_rank": 64, "max_rank": 64, "target_modules": modules}
    return {
        "model_name": model,
        "default_gradient_accumulation_steps": 1,
        "max_num_epochs": 20,
        "max_num_evals": 100,
        "max_num_checkpoints": 100,
        "min_learning_rate": 1e-8,
        "max_learning_rate": 0.01,
        "max_seq_length_sft": 32768,
        "max_seq_length_dpo": 16384,
        "min_max_seq_length": 512,
        "merge_output_lora": True,
        "supports_full_training": full,
        "supports_reasoning": False,
        "supports_tools": True,
        "supports_vision": False,
        "lora_training": lora,
        **({"full_training": sizes} if full else {}),
    }


def check_limits(body: dict[str, Any], model: str) -> None:
    """Refuse what lies outside the model's own limits."""
    known = limits(model)
    kind = body.get("training_type", {}).get("type", "Lora")
    method = body.get("training_method", {}).get("method", "sft")
    training = known["lora_training" if kind == "Lora" else "full_training"] if (
        kind == "Lora" or known["supports_full_training"]
    ) else None  # fmt: skip
    if training is None:
        raise ApiError(f"full training is not supported for {model}", "training_type")
    most = training["max_batch_size_dpo" if method == "dpo" else "max_batch_size"]
    spans = {
        "n_epochs": (1, known["max_num_epochs"]),
        "n_evals": (0, known["max_num_evals"]),
        "n_checkpoints": (1, known["max_num_checkpoints"]),
        "learning_rate": (known["min_learning_rate"], known["max_learning_rate"]),
        "batch_size": (training["min_batch_size"], most),
        "max_seq_length": (known["min_max_seq_length"], known[f"max_seq_length_{method}"]),
    }
    for name, (low, high) in spans.items():
        value = body.get(name)
        if isinstance(value, int | float) and not low <= value <= high:
            raise ApiError(f"'{name}' must be in {low}..{high} (got {value})", name)
    rank = body.get("training_type", {}).get("lora_r", 1)
    if rank > known["lora_training"]["max_rank"]:
        raise ApiError(f"lora_r {rank} is above the maximum rank", "training_type.lora_r")
    if body.get("training_type", {}).get("lora_dropout", 0) >= 1:
        raise ApiError("lora_dropout must be below 1", "training_type.lora_dropout")
