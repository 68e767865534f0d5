"""A base model's life as AWS tells it today (GetFoundationModel, ``modelLifecycle``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple

from ftbridge import clock
from ftbridge.errors import ServiceClosed, Unsupported, UsageError, VendorError

_LISTED = frozenset({"FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"})
"""``customizationsSupported`` has no word for reinforcement fine-tuning (botocore 1.43.117)."""


class Life(NamedTuple):
    """``end`` is None where AWS names none."""

    status: str
    end: datetime | None
    types: frozenset[str]

    @property
    def ended(self) -> bool:
        """Whether the end of life has come."""
        return self.end is not None and self.end <= clock.now()

    @property
    def words(self) -> str:
        """The same for people."""
        if self.end is None:
            return f"{self.status.lower()}, no end of life announced"
        verb = "ended" if self.ended else "ends"
        return f"{self.status.lower()}, {verb} on {self.end.date()}"


def of(details: Mapping[str, Any]) -> Life:
    """From ``modelDetails`` or an entry of ListFoundationModels."""
    life = details.get("modelLifecycle", {})
    return Life(
        str(life.get("status", "unknown")),
        life.get("endOfLifeTime"),
        frozenset(details.get("customizationsSupported", ())),
    )


def require(
    client: Any, border: Callable[[], AbstractContextManager[None]], model: str, kind: str
) -> None:
    """Refuse a model that has ended, or that AWS does not customise in this way today.

    Raises:
        ServiceClosed: with the date. Unsupported, UsageError: naming what AWS says.
    """
    try:
        with border():
            life = of(client.get_foundation_model(modelIdentifier=model)["modelDetails"])
    except VendorError as error:
        if error.status != 404:
            raise
        raise UsageError(
            f"AWS knows no model `{model}` in this region",
            hint="see `ftbridge models --provider bedrock`, or choose another --option region",
            where="model",
        ) from None
    if life.ended:
        raise ServiceClosed(
            f"{model} has reached its end of life: {life.words} (AWS, GetFoundationModel today)",
            hint="choose another with `ftbridge models --provider bedrock`",
            where="model",
        )
    if kind in _LISTED and kind not in life.types:
        named = ", ".join(sorted(life.types)) or "none"
        raise Unsupported(
            f"AWS does not do {kind} on {model} in this region today (it does: {named})",
            hint="choose another model or --option region",
            where="model",
        )
