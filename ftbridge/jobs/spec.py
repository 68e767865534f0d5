"""What a person asks for: a model, a method, hyperparameters and data, naming no wire."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Kind
from ftbridge.graders import Grader
from ftbridge.policy import Privacy


class Method(StrEnum):
    """How the model learns."""

    SFT = "sft"
    DPO = "dpo"
    RL = "rl"


class Adapter(StrEnum):
    """Which weights learn. ``managed``: the vendor does not say."""

    LORA = "lora"
    QLORA = "qlora"
    FULL = "full"
    MANAGED = "managed"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hyperparameters(_Frozen):
    """The neutral names. What is None is not sent, so the provider's own default holds.

    ``learning_rate`` is absolute; ``learning_rate_multiplier`` scales a vendor's own rate. One
    is never mapped on the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    n_epochs: int | None = Field(default=None, ge=1, le=1000)
    batch_size: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0, lt=1)
    learning_rate_multiplier: float | None = Field(default=None, gt=0)
    lora_r: int | None = Field(default=None, ge=1, le=1024)
    lora_alpha: float | None = Field(default=None, gt=0)
    lora_dropout: float | None = Field(default=None, ge=0, lt=1)
    warmup_ratio: float | None = Field(default=None, ge=0, lt=1)
    weight_decay: float | None = Field(default=None, ge=0)
    beta: float | None = Field(default=None, gt=0)

    def given(self) -> dict[str, Any]:
        """Name and value of those that were set."""
        return self.model_dump(exclude_none=True)


class DataRef(_Frozen):
    """A data file as it was when the job was planned."""

    path: str
    sha256: str
    kind: Kind
    examples: int
    bytes: int

    @classmethod
    def unread(cls, dataset: Dataset) -> DataRef:
        """A file that planning has still to read, its kind assumed until then."""
        return cls(path=str(dataset.path), sha256="", kind=Kind.CHAT, examples=0, bytes=0)


class JobSpec(_Frozen):
    """Everything that decides what is trained, with the little that a job needs beside it.

    ``options`` are the provider's own settings; ``connection`` is how it is reached
    (``base_url`` and the like), kept so that a job is asked for where it was made. ``grader``
    scores the answers in method ``rl``; it belongs to the key where it is set.
    """

    provider: str
    model: str
    method: Method = Method.SFT
    adapter: Adapter = Adapter.MANAGED
    hyperparameters: Hyperparameters = Hyperparameters()
    seed: int | None = None
    suffix: str | None = None
    grader: Grader | None = None
    options: dict[str, str] = {}
    connection: dict[str, str] = {}
    tags: dict[str, str] = {}
    privacy: Privacy = Privacy.INTERNAL
    training: DataRef
    validation: DataRef | None = None

    def key(self, account: str, attempt: int) -> str:
        """The idempotency key: the same for the same job at the same account and attempt.

        Tags, paths, the privacy label and how the provider is reached are left out: they
        change nothing that is trained.
        Made of ``[a-z0-9-]``, 36 characters, so that it can serve as a job name anywhere.
        """
        aside = {"tags", "privacy", "connection", "training", "validation"}
        content = self.model_dump(mode="json", exclude=aside, exclude_none=True)
        content["training"] = self.training.sha256
        content["validation"] = self.validation.sha256 if self.validation else None
        content |= {"account": account, "attempt": attempt}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return "ftb-" + hashlib.sha256(canonical.encode()).hexdigest()[:32]
