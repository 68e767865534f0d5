"""What a family of base models takes on Bedrock: the shape of a line, hyperparameters, serving.

Sources, docs.aws.amazon.com (seen 2026-11-25): custom-models-hp (Claude 3 Haiku, Llama 3.1),
cm-hp-nova-mm (Nova), preparing-text-data (Titan), deploy-custom-model-on-demand (Nova alone is
served by the token). Unverified: that Nova 2 Lite takes Nova's ranges, Titan's ranges, that Llama
3.2 takes those of 3.1, and Nova's and Titan's own number of epochs.
"""

from __future__ import annotations

from typing import NamedTuple

from ftbridge.dataset.formats.format import Format
from ftbridge.errors import UsageError
from ftbridge_bedrock.convert import CLAUDE, LLAMA, NOVA


class Span(NamedTuple):
    """What a hyperparameter may be; whole numbers where ``whole``."""

    low: float
    high: float
    whole: bool = False


class Family(NamedTuple):
    """One family. ``takes``: the vendor's name of a hyperparameter -> its range. ``on_demand``:
    a tuned model can be served by the token, without provisioned throughput. ``epochs``: how
    many are run where none are asked for."""

    name: str
    form: Format
    takes: dict[str, Span]
    on_demand: bool
    epochs: int


_NOVA = Family(
    "nova",
    NOVA,
    {
        "epochCount": Span(1, 5, whole=True),
        "learningRate": Span(1e-6, 1e-4),
        "learningRateWarmupSteps": Span(0, 100, whole=True),
    },
    on_demand=True,
    epochs=2,
)
_CLAUDE = Family(
    "claude",
    CLAUDE,
    {
        "epochCount": Span(1, 10, whole=True),
        "batchSize": Span(4, 256, whole=True),
        "learningRateMultiplier": Span(0.1, 2),
        "earlyStoppingThreshold": Span(0, 0.1),
        "earlyStoppingPatience": Span(1, 10, whole=True),
    },
    on_demand=False,
    epochs=2,
)
_LLAMA = Family(
    "llama",
    LLAMA,
    {
        "epochCount": Span(1, 10, whole=True),
        "batchSize": Span(1, 1, whole=True),
        "learningRate": Span(5e-6, 0.1),
    },
    on_demand=False,
    epochs=5,
)
_TITAN = Family(
    "titan",
    LLAMA,
    {
        "epochCount": Span(1, 10, whole=True),
        "batchSize": Span(1, 64, whole=True),
        "learningRate": Span(1e-7, 1e-5),
        "learningRateWarmupSteps": Span(0, 250, whole=True),
    },
    on_demand=False,
    epochs=2,
)
_BY_START = {
    "amazon.nova": _NOVA,
    "anthropic.claude": _CLAUDE,
    "meta.llama": _LLAMA,
    "amazon.titan-text": _TITAN,
}


def of(model: str) -> Family:
    """The family of a base model, by its id or ARN, or of a model tuned from it.

    Raises:
        UsageError: of no family that we know the shape of.
    """
    # arn:aws:bedrock:REGION:ACCOUNT:custom-model/BASE/ID, or ...:foundation-model/BASE
    name = model.split("/")[1] if model.startswith("arn:") and "/" in model else model
    for start, family in _BY_START.items():
        if name.startswith(start):
            return family
    raise UsageError(
        f"`{model}` is of no family whose data format on Bedrock is known here",
        hint=f"known: {', '.join(_BY_START)}",
        where="model",
    )
