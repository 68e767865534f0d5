"""What Bedrock bills: tokens of training, the model's keep by the month, serving by token or hour.

aws.amazon.com/bedrock/pricing as quoted by the AWS Price List API (see ``prices.toml``): custom
models are charged for training tokens (tokens x epochs), for storage by the month, and for
inference either by the token (on demand, Nova) or by the hour and model unit (provisioned).
Reinforcement fine-tuning bills by the hour of training; a distillation also the teacher's tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ftbridge.cost.types import Quantity
from ftbridge.cost.use import Use
from ftbridge.jobs.spec import JobSpec
from ftbridge_bedrock import serving, settings
from ftbridge_bedrock.request import customization


def training(
    lines: Sequence[Quantity], spec: JobSpec, options: Mapping[str, str]
) -> list[Quantity]:
    """The job's own lines, and a month of keeping the model that comes of it."""
    kind, month = customization(spec), Decimal(1)
    if kind == "REINFORCEMENT_FINE_TUNING":
        lines = [_unknown("training", "training_hour", "hours of training, known only afterwards")]
    elif kind == "DISTILLATION":
        teacher = "tokens that the teacher writes, at its own price, known only afterwards"
        lines = [*lines, _unknown("teacher", "inference_output", teacher)]
    keep = Quantity(
        name="storage", item="storage_month", low=month, high=month,
        formula="1 model x 1 month", training=False,
    )  # fmt: skip
    return [*lines, keep, *hosting(options, spec.model)]


def _unknown(name: str, item: str, formula: str) -> Quantity:
    return Quantity(name=name, item=item, low=None, high=None, formula=formula)


def hosting(options: Mapping[str, str], model: str) -> list[Quantity]:
    """One hour of provisioned throughput; nothing by the hour where it is served on demand."""
    if serving.way(options, model) == "on_demand":
        return []
    units = settings.whole("model_units", options.get("model_units", "1"))
    chosen = settings.commitment(options)
    amount = Decimal(units)
    return [
        Quantity(
            name="hosting", item="hosting_hour", low=amount, high=amount,
            formula=f"1 hour x {units} model units, commitment {chosen} "
            "(--option model_units=N, commitment=OneMonth)",
            training=False, tier=settings.COMMITMENTS[chosen],
        )
    ]  # fmt: skip


def use(options: Mapping[str, str], model: str, horizon: Use) -> list[Quantity]:
    """What the tuned model bills over a horizon: its keep, and either its hours or its tokens."""
    hour = hosting(options, model)
    return [*horizon.storage(), *(horizon.hosting(hour) if hour else horizon.tokens())]


def warnings(spec: JobSpec, options: Mapping[str, str]) -> list[str]:
    """What people should know before they spend money here."""
    said = ["AWS bills each custom model for storage by the month until `ftbridge purge` or "
            "DeleteCustomModel removes it"]  # fmt: skip
    if serving.way(options, spec.model) == "provisioned":
        said.append(
            "a tuned model of this family answers on provisioned throughput only, billed by the "
            "hour and model unit from `ftbridge deploy` until `ftbridge undeploy`"
        )
    if settings.commitment(options) != "none":
        said.append("a commitment is billed to its end, whatever is undeployed")
    return said
