"""The foundation models of the emulated region, and what their training takes.

Ids and tunability: docs.aws.amazon.com custom-model-fine-tuning (seen 2026-11-25; Nova 2 Lite, Nova
Lite, Micro and Pro, Claude 3 Haiku, Llama 3.1 and 3.2), an older copy of custom-model-supported
for continued pre-training (Titan Text Express). Ranges: cm-hp-nova-mm, custom-models-hp (Claude 3
Haiku, Llama 3.1). On demand: deploy-custom-model-on-demand (Nova Lite, Micro, Pro). End of Claude 3
Haiku: AWS's model card, 2026-09-10.

Unverified: Nova 2 Lite takes Nova's ranges and is served on demand; who teaches whom in a
distillation (here: any model any Nova or Llama); Titan's ranges; the start dates of life.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Range:
    """What a hyperparameter, sent as a string, may be."""

    least: float
    most: float
    whole: bool = False


@dataclass(frozen=True)
class Base:
    """A foundation model. ``types`` are the customization types that it takes."""

    id: str
    name: str
    provider: str
    family: str
    types: tuple[str, ...] = ()
    ranges: dict[str, Range] = field(default_factory=dict)
    on_demand: bool = False
    end: str | None = None

    def arn(self, region: str) -> str:
        """Its ARN in a region."""
        return f"arn:aws:bedrock:{region}::foundation-model/{self.id}"


_SFT, _CPT = "FINE_TUNING", "CONTINUED_PRE_TRAINING"
_DISTILL, _RFT = "DISTILLATION", "REINFORCEMENT_FINE_TUNING"
_NOVA = {
    "epochCount": Range(1, 5, whole=True),
    "learningRate": Range(1e-6, 1e-4),
    "learningRateWarmupSteps": Range(0, 100, whole=True),
}
_CLAUDE = {
    "epochCount": Range(1, 10, whole=True),
    "batchSize": Range(4, 256, whole=True),
    "learningRateMultiplier": Range(0.1, 2),
    "earlyStoppingThreshold": Range(0, 0.1),
    "earlyStoppingPatience": Range(1, 10, whole=True),
}
_LLAMA = {
    "epochCount": Range(1, 10, whole=True),
    "batchSize": Range(1, 1, whole=True),
    "learningRate": Range(5e-6, 0.1),
}
_TITAN = {
    "epochCount": Range(1, 10, whole=True),
    "batchSize": Range(1, 64, whole=True),
    "learningRate": Range(1e-7, 1e-5),
    "learningRateWarmupSteps": Range(0, 250, whole=True),
}


def _nova(model_id: str, name: str, *types: str) -> Base:
    return Base(model_id, name, "Amazon", "nova", types, _NOVA, on_demand=True)


def _llama(size: str, name: str) -> Base:
    model_id = f"meta.llama{size}-instruct-v1:0:128k"
    return Base(model_id, f"Llama {name}", "Meta", "llama", (_SFT, _DISTILL), _LLAMA)


_TUNABLE = (
    _nova("amazon.nova-2-lite-v1:0:256k", "Nova 2 Lite", _SFT, _RFT),
    _nova("amazon.nova-lite-v1:0:300k", "Nova Lite", _SFT, _DISTILL),
    _nova("amazon.nova-micro-v1:0:128k", "Nova Micro", _SFT, _DISTILL),
    _nova("amazon.nova-pro-v1:0:300k", "Nova Pro", _SFT, _DISTILL),
    Base(
        "amazon.titan-text-express-v1:0:8k",
        *("Titan Text Express", "Amazon", "titan", (_CPT,), _TITAN),
    ),
    Base(
        "anthropic.claude-3-haiku-20240307-v1:0:200k",
        *("Claude 3 Haiku", "Anthropic", "claude", (_SFT,), _CLAUDE),
        end="2026-09-10T00:00:00Z",
    ),
    *(
        _llama(size, name)
        for size, name in (
            *(("3-1-8b", "3.1 8B"), ("3-1-70b", "3.1 70B"), ("3-2-1b", "3.2 1B")),
            *(("3-2-3b", "3.2 3B"), ("3-2-11b", "3.2 11B"), ("3-2-90b", "3.2 90B")),
        )
    ),
)


def _plain(base: Base) -> Base:
    """The same model as inference knows it: without the context length in its id."""
    model_id = base.id.rpartition(":")[0]
    return Base(model_id, base.name, base.provider, base.family, on_demand=True, end=base.end)


BASES = {base.id: base for base in (*_TUNABLE, *map(_plain, _TUNABLE))}
