"""What the bodies may be: CreateFineTuningJobRequest of mistralai 2.4.13, chat of 3.7.0.

Bounds are those of JobIn and its hyperparameters in mistralai/platform-docs-public, openapi.yaml of
2026-07-15.
"""

from __future__ import annotations

from ftbridge.testing.wire import Anything, Field, Flag, Items, Number, Record, Rule, Tagged, Text


def _optional(rule: Rule) -> Field:
    return Field(rule, nullable=True)


_TRAINING = {
    "training_steps": _optional(Number(integer=True, least=1)),
    "learning_rate": Field(Number(least=1e-8, most=1)),
    "weight_decay": _optional(Number(least=0, most=1)),
    "warmup_fraction": _optional(Number(least=0, most=1)),
    "epochs": _optional(Number(above=0)),
    "seq_len": _optional(Number(integer=True, least=100)),
}
HYPERPARAMETERS = {
    "completion": Record({**_TRAINING, "fim_ratio": _optional(Number(least=0, most=1))}),
    "classifier": Record(_TRAINING),
}
_FILE = Record({"file_id": Field(Text(shortest=1), required=True), "weight": Field(Number())})
_WANDB = Record(
    {
        "project": Field(Text(), required=True),
        "api_key": Field(Text(), required=True),
        "name": _optional(Text()),
        "run_name": _optional(Text()),
    }
)
_GITHUB = Record(
    {
        "name": Field(Text(), required=True),
        "owner": Field(Text(), required=True),
        "token": Field(Text(), required=True),
        "ref": _optional(Text()),
        "weight": Field(Number(above=0)),
    }
)
_LOSSES = ("single_class", "multi_class")
_TARGET = Record(
    {
        "name": Field(Text(), required=True),
        "labels": Field(Items(Text(), shortest=1), required=True),
        "weight": Field(Number(least=0)),
        "loss_function": _optional(Text(choices=_LOSSES)),
    }
)
CREATE = Record(
    {
        "model": Field(Text(shortest=1), required=True),
        "hyperparameters": Field(Anything(), required=True),
        "training_files": Field(Items(_FILE)),
        "validation_files": _optional(Items(Text())),
        "suffix": _optional(Text(longest=18)),
        "integrations": _optional(Items(Tagged("type", {"wandb": _WANDB}))),
        "auto_start": Field(Flag()),
        "invalid_sample_skip_percentage": Field(Number(least=0, most=0.5)),
        "job_type": _optional(Text(choices=("completion", "classifier"))),
        "repositories": _optional(Items(Tagged("type", {"github": _GITHUB}))),
        "classifier_targets": _optional(Items(_TARGET)),
    }
)
UPDATE = Record({"name": _optional(Text()), "description": _optional(Text())})
_MESSAGE = Record(
    {"role": Field(Text(choices=("system", "user", "assistant", "tool")), required=True)},
    open=True,
)
CHAT = Record(
    {
        "model": Field(Text(), required=True),
        "messages": Field(Items(_MESSAGE, shortest=1), required=True),
        "temperature": _optional(Number(least=0, most=1.5)),
        "top_p": _optional(Number(least=0, most=1)),
        "max_tokens": _optional(Number(integer=True, least=0)),
        "random_seed": _optional(Number(integer=True, least=0)),
        "stream": Field(Flag()),
        "stop": _optional(Anything()),
        "tools": _optional(Items(Anything())),
        "tool_choice": Field(Anything()),
        "response_format": Field(Anything()),
        "presence_penalty": _optional(Number(least=-2, most=2)),
        "frequency_penalty": _optional(Number(least=-2, most=2)),
        "n": _optional(Number(integer=True, least=1)),
        "parallel_tool_calls": Field(Flag()),
        "safe_prompt": Field(Flag()),
        "metadata": _optional(Anything()),
        "prediction": Field(Anything()),
        "reasoning_effort": _optional(Anything()),
        "prompt_mode": _optional(Anything()),
    }
)
