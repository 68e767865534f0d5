"""What Azure knows beside files and jobs: training types and deployments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ftbridge.testing.openai_wire import Emulator, Store

CREATING_SECONDS = 6.0
DELETING_SECONDS = 2.0
IMPORT_SECONDS = 1.0


@dataclass
class Deployment:
    """A named deployment, as it was put; its state follows from the time."""

    name: str
    sku: dict[str, Any]
    model: dict[str, Any]
    created: float
    ready: float
    deleted: float | None = None

    def state(self, now: float) -> str:
        """ARM's ``provisioningState``."""
        if self.deleted is not None:
            return "Deleting"
        return "Succeeded" if now >= self.ready else "Creating"


@dataclass
class AzureStore(Store):
    """Everything the emulator knows; ``app.state.store``."""

    deployments: dict[str, Deployment] = field(default_factory=dict)
    training_types: dict[str, str] = field(default_factory=dict)
    rft_cap_after: float | None = None
    """Seconds of running after which new RFT jobs hit the billing cap and are paused."""


@dataclass
class Azure(Emulator):
    """One emulated resource and the control plane over it."""

    store: AzureStore

    def deployment(self, name: str, now: float) -> Deployment | None:
        """A deployment that is there, or going."""
        found = self.store.deployments.get(name)
        if found and found.deleted is not None and now >= found.deleted + self.wait("deleting"):
            return None
        return found

    def wait(self, what: str) -> float:
        """How long this takes at the emulator's speed."""
        seconds = {
            "creating": CREATING_SECONDS,
            "deleting": DELETING_SECONDS,
            "importing": IMPORT_SECONDS,
        }
        return seconds[what] / self.speed
