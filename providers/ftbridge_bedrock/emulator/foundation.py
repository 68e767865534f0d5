"""Foundation models and their life cycles.

A tunable id (``...:300k``) is listed beside the plain one. Unverified: that it is, and that
reinforcement fine-tuning shows in no ``customizationsSupported`` (its enum has no word for it).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .bases import BASES, Base
from .errors import missing
from .store import Emulator
from .surface import Asked

_LISTED = ("FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION")
_BORN = "2024-12-03T00:00:00Z"


def find(identifier: str, region: str) -> Base | None:
    """A base by id or ARN."""
    return BASES.get(identifier.removeprefix(f"arn:aws:bedrock:{region}::foundation-model/"))


def lifecycle(emulator: Emulator, base: Base) -> dict[str, str]:
    """``modelLifecycle`` of a base, or what a test has set."""
    if base.id in emulator.store.lifecycles:
        return emulator.store.lifecycles[base.id]
    if base.end is None:
        return {"status": "ACTIVE", "startOfLifeTime": _BORN}
    return {"status": "LEGACY", "startOfLifeTime": _BORN, "endOfLifeTime": base.end}


def ended(emulator: Emulator, base: Base, now: float) -> bool:
    """Whether its end of life has come."""
    end = lifecycle(emulator, base).get("endOfLifeTime")
    return end is not None and datetime.fromisoformat(end).timestamp() <= now


def _view(emulator: Emulator, base: Base) -> dict[str, Any]:
    seeing = base.family in ("nova", "claude") and "micro" not in base.id
    return {
        "modelArn": base.arn(emulator.store.region),
        "modelId": base.id,
        "modelName": base.name,
        "providerName": base.provider,
        "inputModalities": ["TEXT", "IMAGE"] if seeing else ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": [kind for kind in base.types if kind in _LISTED],
        "inferenceTypesSupported": ["PROVISIONED"] if base.types else ["ON_DEMAND"],
        "modelLifecycle": lifecycle(emulator, base),
    }


async def get(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """GetFoundationModel."""
    base = find(asked.params["modelIdentifier"], emulator.store.region)
    if base is None:
        raise missing("the model from the provided model identifier")
    return {"modelDetails": _view(emulator, base)}


async def list_models(emulator: Emulator, asked: Asked) -> dict[str, Any]:
    """ListFoundationModels: one answer without pages."""
    filters = {
        "byCustomizationType": "customizationsSupported",
        "byOutputModality": "outputModalities",
        "byInferenceType": "inferenceTypesSupported",
    }
    rows = [_view(emulator, base) for base in BASES.values()]
    for name, value in asked.params.items():
        if name == "byProvider":
            rows = [row for row in rows if row["providerName"].lower() == value.lower()]
        else:
            rows = [row for row in rows if value in row[filters[name]]]
    return {"modelSummaries": rows}
