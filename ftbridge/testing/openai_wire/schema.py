"""What the endpoints take, as data for `ftbridge.testing.wire`.

Fields, requiredness and ranges are those of the OpenAPI document. It doesn't forbid unknown
fields for a job; that the vendor refuses them was seen in a client's issue about a
surplus ``batch_size``. The limits of ``metadata`` stand in its description only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftbridge.testing.wire import (
    Anything,
    Fault,
    Field,
    Flag,
    Items,
    Number,
    Pairs,
    Problem,
    Record,
    Tagged,
    Text,
)

_AUTO = ("auto",)
_TEXT = Field(Text(), required=True)


def _count(most: int | None = None) -> Field:
    return Field(Number(integer=True, least=1, most=most, words=_AUTO))


_SUPERVISED = {
    "batch_size": _count(256),
    "learning_rate_multiplier": Field(Number(above=0, words=_AUTO)),
    "n_epochs": _count(50),
}
_DPO = {**_SUPERVISED, "beta": Field(Number(above=0, most=2, words=_AUTO))}
_REINFORCEMENT = {
    **_SUPERVISED,
    "compute_multiplier": Field(Number(above=0.00001, most=10, words=_AUTO)),
    "eval_interval": _count(),
    "eval_samples": _count(),
    "reasoning_effort": Field(Text(("default", "low", "medium", "high"))),
}
HYPERPARAMETERS = {"supervised": _SUPERVISED, "dpo": _DPO, "reinforcement": _REINFORCEMENT}

_SIMILARITY = (
    *("cosine", "fuzzy_match", "bleu", "gleu", "meteor"),
    *("rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"),
)
# EvalItem and the sampling parameters of GraderScoreModel in the OpenAPI document.
_ASKED = Record(
    {
        "role": Field(Text(("user", "assistant", "system", "developer")), required=True),
        "content": Field(Anything(), required=True),
        "type": Field(Text(("message",))),
    }
)
_SAMPLING = Record(
    {
        "seed": Field(Number(integer=True), nullable=True),
        "top_p": Field(Number(), nullable=True),
        "temperature": Field(Number(), nullable=True),
        "max_completions_tokens": Field(Number(integer=True, least=1), nullable=True),
        "reasoning_effort": Field(
            Text(("none", "minimal", "low", "medium", "high", "xhigh", "max")), nullable=True
        ),
    }
)
_GRADERS = {
    "string_check": Record(
        {
            "name": _TEXT,
            "input": _TEXT,
            "reference": _TEXT,
            "operation": Field(Text(("eq", "ne", "like", "ilike")), required=True),
        }
    ),
    "text_similarity": Record(
        {
            "name": _TEXT,
            "input": _TEXT,
            "reference": _TEXT,
            "evaluation_metric": Field(Text(_SIMILARITY), required=True),
        }
    ),
    "python": Record({"name": _TEXT, "source": _TEXT, "image_tag": Field(Text())}),
    "score_model": Record(
        {
            "name": _TEXT,
            "model": _TEXT,
            "input": Field(Items(_ASKED, shortest=1), required=True),
            "range": Field(Items(Number(), shortest=2, most=2)),
            "sampling_params": Field(_SAMPLING),
        }
    ),
    "multi": Record(
        {
            "name": _TEXT,
            "graders": Field(Anything(), required=True),
            "calculate_output": _TEXT,
        }
    ),
}
_GRADER = Tagged("type", _GRADERS)
_LABEL = Record(
    {
        "name": _TEXT,
        "model": _TEXT,
        "input": Field(Items(_ASKED, shortest=1), required=True),
        "labels": Field(Items(Text()), required=True),
        "passing_labels": Field(Items(Text()), required=True),
    }
)
_IN_MULTI = {name: rule for name, rule in _GRADERS.items() if name != "multi"}
_NESTED = Tagged("type", {**_IN_MULTI, "label_model": _LABEL})


class Grader:
    """A grader. A ``multi`` holds one grader (OpenAPI, SDK) or a map of them (the guide)."""

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        """Everything that is wrong with a grader and those in it."""
        found = list(_GRADER.problems(value, path))
        yield from found
        if found or value["type"] != "multi":
            return
        inner = value["graders"]
        if not isinstance(inner, dict) or not inner:
            yield Problem(f"{path}.graders", Fault.TYPE, "object", "another value")
        elif isinstance(inner.get("type"), str):
            yield from _NESTED.problems(inner, f"{path}.graders")
        else:
            for name, each in inner.items():
                yield from _NESTED.problems(each, f"{path}.graders.{name}")


def _method(kind: str, extra: dict[str, Field]) -> Field:
    return Field(Record({"hyperparameters": Field(Record(HYPERPARAMETERS[kind])), **extra}))


METHODS = ("supervised", "dpo", "reinforcement")
_METHOD = Record(
    {
        "type": Field(Text(METHODS), required=True),
        "supervised": _method("supervised", {}),
        "dpo": _method("dpo", {}),
        "reinforcement": _method(
            "reinforcement",
            {
                "grader": Field(Grader(), required=True),
                # Echoed by the OpenAPI document's own example, though not in its schema.
                "response_format": Field(Anything(), nullable=True),
            },
        ),
    }
)
_OPTIONAL_TEXT = Field(Text(), nullable=True)
_WANDB = Record(
    {
        "project": _TEXT,
        "name": _OPTIONAL_TEXT,
        "entity": _OPTIONAL_TEXT,
        "tags": Field(Items(Text())),
    }
)
_INTEGRATION = Record(
    {
        "type": Field(Text(("wandb",)), required=True),
        "wandb": Field(_WANDB, required=True),
    }
)
METADATA = Pairs(Text(longest=512), most=16, longest_key=64)
CREATE_JOB = Record(
    {
        "model": _TEXT,
        "training_file": _TEXT,
        "validation_file": _OPTIONAL_TEXT,
        "hyperparameters": Field(Record(_SUPERVISED)),
        "suffix": Field(Text(shortest=1, longest=64), nullable=True),
        "seed": Field(Number(integer=True, least=0, most=2**31 - 1), nullable=True),
        "integrations": Field(Items(_INTEGRATION, most=5), nullable=True),
        "method": Field(_METHOD),
        "metadata": Field(METADATA, nullable=True),
    }
)
CREATE_FILE = Record(
    {
        "file": Field(Anything(), required=True),
        "purpose": Field(
            Text(("assistants", "batch", "fine-tune", "vision", "user_data", "evals")),
            required=True,
        ),
        "expires_after": Field(
            Record(
                {
                    "anchor": Field(Text(("created_at",)), required=True),
                    "seconds": Field(
                        Number(integer=True, least=3600, most=2_592_000), required=True
                    ),
                }
            )
        ),
    }
)
VALIDATE_GRADER = Record({"grader": Field(Grader(), required=True)})
RUN_GRADER = Record(
    {
        "grader": Field(Grader(), required=True),
        "model_sample": _TEXT,
        "item": Field(Anything()),
    }
)

_MESSAGE = Record(
    {
        "role": Field(
            Text(("system", "developer", "user", "assistant", "tool", "function")), required=True
        )
    },
    open=True,
)
# Taken and ignored: an emulator has no sampling to steer.
_IGNORED = (
    *("audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs"),
    *("metadata", "modalities", "moderation", "parallel_tool_calls", "prediction"),
    *("presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    *("reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop"),
    *("store", "tool_choice", "tools", "top_logprobs", "user", "verbosity", "web_search_options"),
)
_TOKENS = Field(Number(integer=True, least=1), nullable=True)
CHAT = Record(
    {
        "model": _TEXT,
        "messages": Field(Items(_MESSAGE, shortest=1), required=True),
        "stream": Field(Flag(), nullable=True),
        "stream_options": Field(
            Record({"include_usage": Field(Flag()), "include_obfuscation": Field(Flag())}),
            nullable=True,
        ),
        "n": Field(Number(integer=True, least=1, most=128), nullable=True),
        "temperature": Field(Number(least=0, most=2), nullable=True),
        "top_p": Field(Number(least=0, most=1), nullable=True),
        "max_tokens": _TOKENS,
        "max_completion_tokens": _TOKENS,
        **{name: Field(Anything(), nullable=True) for name in _IGNORED},
    }
)
