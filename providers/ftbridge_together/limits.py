"""A model's limits as Together states them today (GET /v1/fine-tunes/models/limits).

They are asked before the first byte of a job is sent, and where the vendor's own defaults are
needed. Shape: ``FinetuneModelLimits`` of ``together`` 3.1.1; what an older document does not name
is not checked. Without network the wide ranges of ``catalogue.toml`` are all that holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftbridge.errors import Unsupported, UsageError

Limits = Mapping[str, Any]


def complete(body: Mapping[str, Any], limits: Limits | None) -> dict[str, Any]:
    """The body with the rank and alpha that a LoRA must name, by the SDK's own rule: the model's
    default rank, and twice the rank.

    Args:
        limits: may be None where ``lora_r`` is set.
    """
    lora = dict(body.get("training_type") or {})
    if lora.get("type") != "Lora":
        return dict(body)
    if "lora_r" not in lora and limits is not None:
        lora["lora_r"] = limits["lora_training"]["default_rank"]
    lora.setdefault("lora_alpha", 2 * lora["lora_r"])
    return {**body, "training_type": lora}


def lacks_rank(body: Mapping[str, Any]) -> bool:
    """Whether :func:`complete` needs the limits."""
    kind = body.get("training_type") or {}
    return kind.get("type") == "Lora" and "lora_r" not in kind


def require(body: Mapping[str, Any], model: str, limits: Limits) -> None:
    """Refuse a create body that is outside the model's limits.

    Raises:
        UsageError: naming the value, the range and that it was asked of Together just now.
        Unsupported: where the model has no full training.
    """
    named = limits.get("model_name")
    if "from_checkpoint" in body and named and named != model:
        raise UsageError(
            f"the checkpoint is of {named}, not of {model}",
            hint=f"give --model {named}, whose price then counts",
            where="model",
        )
    if (body.get("training_type") or {}).get("type") == "Full" and not _full(limits):
        raise Unsupported(
            f"Together trains no full weights of {model}", hint="use --adapter lora",
            where="adapter",
        )  # fmt: skip
    for name, value, low, high in _spans(body, limits):
        if (low is not None and value < low) or (high is not None and value > high):
            raise UsageError(
                f"{name} {value} is outside {_shown(low)} to {_shown(high)}, Together's limits "
                f"for {model} today",
                hint=f"change {name}",
                where=name,
                code="out_of_range",
            )


def _full(limits: Limits) -> bool:
    return bool(limits.get("supports_full_training", limits.get("full_training")))


def _spans(body: Mapping[str, Any], limits: Limits) -> Iterator[tuple[str, Any, Any, Any]]:
    """Name, value, least and most of each number that was set and has a limit."""
    kind = body.get("training_type") or {}
    dpo = (body.get("training_method") or {}).get("method") == "dpo"
    sizes = limits.get("full_training" if kind.get("type") == "Full" else "lora_training") or {}
    spans = {
        "n_epochs": (1, limits.get("max_num_epochs")),
        "n_evals": (0, limits.get("max_num_evals")),
        "n_checkpoints": (1, limits.get("max_num_checkpoints")),
        "learning_rate": (limits.get("min_learning_rate"), limits.get("max_learning_rate")),
        "max_seq_length": (
            limits.get("min_max_seq_length"),
            limits.get("max_seq_length_dpo" if dpo else "max_seq_length_sft"),
        ),
    }
    if "from_checkpoint" not in body:  # else the training type may be the checkpoint's
        most = sizes.get("max_batch_size_dpo" if dpo else "max_batch_size")
        spans["batch_size"] = (sizes.get("min_batch_size"), most)
    for name, (low, high) in spans.items():
        if name in body:
            yield name, body[name], low, high
    if "lora_r" in kind:
        yield "lora_r", kind["lora_r"], 1, (limits.get("lora_training") or {}).get("max_rank")


def _shown(bound: Any) -> str:
    return "..." if bound is None else f"{bound:g}"
