"""What a submit would do, in full, before anything is sent."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from ftbridge.cost.types import TokenCount, Usd
from ftbridge.jobs.spec import JobSpec


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Loss(_Frozen):
    """Something that the provider's format cannot carry: how often, and on which lines first."""

    code: str
    count: int
    lines: tuple[int, ...]


class Setting(_Frozen):
    """A hyperparameter's value (None: the provider decides) and its origin in words."""

    value: float | int | str | bool | None
    origin: str


class Payload(_Frozen):
    """A data file in the provider's format, known by its hash before it is written."""

    sha256: str
    bytes: int
    examples: int


class Refusal(_Frozen):
    """Why a plan may not be submitted, and the exit code that says so."""

    code: str
    message: str
    hint: str
    where: str
    exit_code: int


class Plan(_Frozen):
    """A spec at one provider: what is sent, what is lost, what it costs, whether it may be.

    ``label`` says who gave the data's label, ``rule`` which rule lets it go there; ``policies``
    are the project files that held, and hold on for the job; ``retention`` is how long its
    training data may stay at the vendor after the end.
    ``bills`` is False where nobody sends a bill (the machine is ours). ``payload`` is the create
    request with the file ids still open. ``refusal`` is None where submit would go ahead.
    """

    spec: JobSpec
    account: str
    region: str | None
    endpoint: str
    attempt: int
    key: str
    payload: dict[str, Any]
    settings: dict[str, Setting]
    training: Payload
    validation: Payload | None
    tokens: TokenCount
    usd: Usd
    bills: bool
    losses: tuple[Loss, ...]
    warnings: tuple[str, ...]
    max_usd: str | None = None
    label: str = ""
    rule: str = ""
    policies: tuple[str, ...] = ()
    retention: str | None = None
    refusal: Refusal | None = None
    parent_job: str | None = None
    """The job of this ledger whose data and spec are moved here."""

    @property
    def allowed(self) -> bool:
        """Whether submit would go ahead."""
        return self.refusal is None
