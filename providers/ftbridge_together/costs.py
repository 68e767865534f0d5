"""What Together bills for a job, and its own price for one.

Billed are n_epochs x training tokens and n_evals x validation tokens, in the model's price for
the method and the training type; no minimum (docs.together.ai/docs/fine-tuning/pricing, read
2026-11-24). A tuned model answers on a dedicated endpoint, billed by the minute at a price that
is only shown live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ftbridge.cost.types import Quantity, TokenCount
from ftbridge.errors import ProviderError
from ftbridge.jobs.spec import Adapter, JobSpec

ASKED = ("training_file", "validation_file", "model", "from_checkpoint", "n_epochs", "n_evals",
         "training_type", "training_method")  # fmt: skip
"""What POST /v1/fine-tunes/estimate-price takes of a create body."""
MILLION = Decimal(1_000_000)
ENDPOINT = Quantity(
    name="hosting", item="hosting_hour", low=None, high=None, training=False,
    formula="a dedicated endpoint to ask the tuned model, by the minute",
)  # fmt: skip
"""What a tuned model answers on."""


def quantities(
    spec: JobSpec, training: Sequence[Quantity], tokens: TokenCount, context: int | None
) -> list[Quantity]:
    """The common training lines in the price of the training type, evaluation, an endpoint.

    Args:
        context: the longest sequence of the model in tokens, where that is known.
    """
    tier = "full" if spec.adapter is Adapter.FULL else "lora"
    lines = [line.model_copy(update={"tier": tier}) for line in training]
    if spec.options.get("packing") == "false":
        lines = [_unpacked(line, spec, tokens, context) for line in lines]
    evaluations = int(spec.options.get("n_evals", "0"))
    if evaluations and spec.validation:
        size = spec.validation.bytes
        low, high = tokens.validation or (0, size)
        counted = f"{high:,}" if tokens.validation else f"at most {size:,}"
        lines.append(
            Quantity(
                name="evaluation",
                item="training_tokens",
                low=Decimal(evaluations * low) / MILLION,
                high=Decimal(evaluations * high) / MILLION,
                formula=f"{evaluations} x {counted} validation tokens"
                + ("" if tokens.validation else " (a byte has at most one)"),
                tier=tier,
            )
        )
    return [*lines, ENDPOINT]


def _unpacked(line: Quantity, spec: JobSpec, tokens: TokenCount, context: int | None) -> Quantity:
    """Without packing each row is billed as long as the longest sequence."""
    length = int(spec.options.get("max_seq_length") or context or 0)
    rows = spec.training.examples * tokens.n_epochs
    amount = Decimal(rows * length) / MILLION if length else None
    formula = f"{rows:,} rows of {length:,} tokens" if length else "rows x longest sequence"
    return line.model_copy(update={"low": amount, "high": amount, "formula": formula})


def warnings(spec: JobSpec) -> list[str]:
    """What the plan cannot show yet, and what the answer will need."""
    given = spec.hyperparameters.given()
    said = []
    if "lora_r" not in given and {"lora_alpha", "lora_dropout"} & given.keys():
        said.append(
            "lora_r is left to together, yet must be named beside other LoRA settings: the "
            "model's default rank is asked when the job is created; fix it with --lora-r"
        )
    elif "lora_r" in given and "lora_alpha" not in given:
        said.append("lora_alpha must be named beside lora_r: twice the rank is sent when created")
    if spec.validation and "n_evals" not in spec.options:
        said.append(
            "together evaluates nothing on its own: without --option n_evals=N the validation file "
            "is sent and never used"
        )
    if "from_checkpoint" in spec.options:
        said.append(
            f"the base is that of the checkpoint; the price is that of {spec.model}: --model must "
            "name the same"
        )
    return said


def question(body: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the SDK's ``estimate_price`` for a create body."""
    return {name: body[name] for name in ASKED if name in body}


def answer(made: Mapping[str, Any]) -> Decimal:
    """The price in USD.

    Raises:
        ProviderError: the vendor gives none (yet).
    """
    price = made.get("estimated_total_price")
    if made.get("estimation_available") is False or price is None:
        reason = str(made.get("unavailable_reason") or "no reason given")
        raise ProviderError(
            f"Together gives no price: {reason}",
            hint="wait until it has validated the file" if "not_validated" in reason
            else "see `ftbridge compare`",
            code="no_quote",
        )  # fmt: skip
    return Decimal(str(price))
