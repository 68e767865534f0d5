"""What every provider has before it does anything: its name, packages, gaps, and patience."""

from __future__ import annotations

import importlib.util
from abc import ABC
from collections.abc import Mapping
from typing import ClassVar

from ftbridge.errors import NotInstalled, Unsupported, UsageError
from ftbridge.shapes import Context

CONNECTION_OPTIONS = frozenset({
    "base_url", "settle_seconds", "poll_seconds", "patience_seconds", "stall_seconds",
    "timeout_seconds", "requests_per_second",
})  # fmt: skip
"""Options that say how a provider is reached, not what it does."""


class ProviderBase(ABC):
    """Name, packages, gaps and patience of a place that trains."""

    name: ClassVar[str]
    distribution: ClassVar[str] = "ftbridge"
    extra: ClassVar[str] = ""
    """What pip installs: a distribution, and which of its extras holds the SDK, if one does."""
    sdk: ClassVar[tuple[str, ...]] = ()
    absent: ClassVar[Mapping[str, str]] = {}
    settle_default: ClassVar[float] = 30.0
    poll_default: ClassVar[float] = 15.0
    patience_default: ClassVar[float] = 60.0
    stall_default: ClassVar[float] = 6 * 3600.0
    rate_default: ClassVar[float] = 10.0

    def __init__(self, context: Context) -> None:
        self.context = context

    # -- packages ----------------------------------------------------------------------------

    @classmethod
    def missing(cls) -> list[str]:
        """The packages of the provider's extra that are not installed."""
        return [name for name in cls.sdk if not _installed(name)]

    @classmethod
    def require_installed(cls) -> None:
        """Raise NotInstalled, with the pip line, where the extra is missing."""
        missing = cls.missing()
        if missing:
            raise NotInstalled(
                f"{cls.name} needs {', '.join(missing)}, which is not installed",
                hint=cls.install_hint(),
            )

    @classmethod
    def install_hint(cls) -> str:
        """The command that installs what this provider needs; empty where that is nothing."""
        extra = f"[{cls.extra}]" if cls.extra else ""
        return f"pip install '{cls.distribution}{extra}'" if cls.sdk else ""

    # -- gaps --------------------------------------------------------------------------------

    def unsupported(self, operation: str) -> Unsupported:
        """The error for an operation that this provider lacks."""
        sentence = self.absent.get(operation, f"{self.name} has no {operation}")
        return Unsupported(sentence, where=operation)

    @classmethod
    def supports(cls, operation: str) -> bool:
        """Whether the operation exists here."""
        return operation not in cls.absent

    # -- patience, from options --------------------------------------------------------------

    @property
    def settle_seconds(self) -> float:
        """How long the vendor's lists may lag behind a create."""
        return self._seconds("settle_seconds", self.settle_default)

    @property
    def poll_seconds(self) -> float:
        """The usual pause between two looks at a job."""
        return self._seconds("poll_seconds", self.poll_default)

    @property
    def patience_seconds(self) -> float:
        """How long one call that is safe to repeat is retried in all."""
        return self._seconds("patience_seconds", self.patience_default)

    @property
    def stall_seconds(self) -> float:
        """How long nothing may happen to a job before that is worth a warning."""
        return self._seconds("stall_seconds", self.stall_default)

    @property
    def requests_per_second(self) -> float:
        """How often the watcher may ask."""
        return self._seconds("requests_per_second", self.rate_default)

    def _seconds(self, option: str, default: float) -> float:
        text = self.context.options.get(option)
        try:
            value = default if text is None else float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise UsageError(f"option {option}: `{text}` is no number of 0 or more", where=option)
        return value


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False
