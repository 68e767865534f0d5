"""What Fireworks bills: tokens of supervised and preference jobs, GPUs for the rest.

Sources, read 2026-11-25: docs.fireworks.ai/fine-tuning/managed-finetuning-intro (tokens; RFT free
below 16 billion parameters, which older pages say otherwise) and .../deploying-loras (a tuned
LoRA answers on a dedicated deployment only, which bills by the GPU-second while it is up).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from ftbridge.cost.prices import read
from ftbridge.cost.types import Quantity
from ftbridge.jobs.spec import JobSpec, Method
from ftbridge_fireworks.settings import gpu, whole

FOLDER = Path(__file__).parent
PRODUCT = "on-demand deployment"
"""Under which the price list has hosting."""

SMALL = "up to 16B"
"""The price list's bracket of models that one GPU surely holds."""


def training(lines: Sequence[Quantity], spec: JobSpec) -> list[Quantity]:
    """The common lines; a reinforcement job bills tokens (at no price) in the lowest bracket, and
    GPU-seconds above it, which are known only afterwards."""
    if spec.method is not Method.RL or _is_small(spec.model):
        return list(lines)
    return [
        Quantity(
            name="training", item="training_hour", low=None, high=None,
            formula="GPU-seconds of trainer and rollouts, known only afterwards",
        )
    ]  # fmt: skip


def hosting(options: Mapping[str, str], model: str, hours: int) -> list[Quantity]:
    """The dedicated deployment that a tuned model answers on.

    One GPU for the lowest bracket; for other models the number is not known before the vendor
    says it, unless option ``gpus`` does. Nothing for a place on a deployment that is up already
    (option ``deployment``): its bill runs anyway.
    """
    if "deployment" in options:
        return []
    count = whole("gpus", options["gpus"]) if "gpus" in options else None
    count = 1 if count is None and _is_small(model) else count
    amount = None if count is None else Decimal(hours * count)
    kind = gpu(options)
    shown = "an unknown number of" if count is None else str(count)
    return [
        Quantity(
            name="hosting", item="hosting_hour", low=amount, high=amount,
            formula=f"{hours} hours x {shown} {kind.upper()} (--option hosting_hours=N, gpus=N)",
            training=False, tier=kind, priced_as=PRODUCT,
        )
    ]  # fmt: skip


def _is_small(model: str) -> bool:
    return any(row.model == SMALL and model in row.models for row in read(FOLDER))


def warnings(spec: JobSpec) -> list[str]:
    """What people should know before they spend money here."""
    said = [
        "a tuned model answers only on a dedicated deployment, which bills by the GPU-second from "
        "`ftbridge deploy` until `ftbridge undeploy`"
    ]
    carves = spec.options.get("eval_auto_carveout") != "false"
    if spec.method is Method.SFT and spec.validation is None and carves:
        said.append(
            "without --validation Fireworks keeps some training rows back for evaluation; "
            "--option eval_auto_carveout=false"
        )
    if spec.method is Method.RL:
        said.append("reinforcement is free below 16B by one page of Fireworks only: look first")
    return said
