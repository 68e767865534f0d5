"""The shapes in which a provider and the core speak. None of them holds a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ftbridge.jobs.states import State

Message: TypeAlias = Mapping[str, Any]
"""A chat message in the canonical shape."""


class Setting(NamedTuple):
    """A hyperparameter's value (None: the provider decides) and its origin in words."""

    value: float | int | str | bool | None
    origin: str


class BaseFacts(NamedTuple):
    """What is known of a base model: the name that others know it by, and its licence (SPDX)."""

    name: str
    licence: str | None = None


@dataclass(frozen=True)
class RemoteFile:
    """A file at the vendor."""

    id: str
    bytes: int | None = None
    expires_at: str | None = None


@dataclass(frozen=True)
class FileState:
    """An uploaded file as the vendor shows it now. ``error`` says why it will never be usable."""

    ready: bool = True
    missing: bool = False
    error: str | None = None


@dataclass(frozen=True)
class RemoteJob:
    """A job as the vendor shows it now. ``raw_state`` is its own word.

    ``model`` is what inference is asked for, once there is one. ``trained_tokens`` is what the
    vendor bills. ``progress`` is 0..1. ``error`` has ``code`` and ``message``. ``n_epochs`` is
    what the vendor has settled on, once it shows that. ``estimated_usd`` is the vendor's own price
    of the job, where it shows one after the create. ``billed_usd`` is its sum at the end,
    ``billed_seconds`` the time that it bills by, where it shows them.
    """

    id: str
    state: State
    raw_state: str
    stopping: bool = False
    model: str | None = None
    error: dict[str, str] | None = None
    created_at: str | None = None
    finished_at: str | None = None
    trained_tokens: int | None = None
    progress: float | None = None
    n_epochs: int | None = None
    estimated_usd: Decimal | None = None
    billed_usd: Decimal | None = None
    billed_seconds: Decimal | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RemoteEvent:
    """Something that happened. Compared by content, since some vendors renumber events.

    ``id`` tells only, within one answer, an event that came twice from two equal events.
    """

    time: str
    level: str
    message: str
    step: int | None = None
    type: str = "message"
    id: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class RemoteMetric:
    """One measured value of a run, e.g. ``loss`` at a step."""

    step: int
    name: str
    value: float
    time: str | None = None


@dataclass(frozen=True)
class RemoteCheckpoint:
    """A state of the model in the middle of a run; ``model`` if inference can use it."""

    id: str
    step: int
    model: str | None
    created_at: str | None = None


@dataclass(frozen=True)
class ChatRequest:
    """One prompt: messages in the canonical shape, greedy unless ``temperature`` is set."""

    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class ChatReply:
    """One answer, with its size in tokens and its time in seconds."""

    text: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = "stop"
    seconds: float = 0.0


@dataclass(frozen=True)
class Check:
    """One line of ``doctor``. ``ok`` None: could not be found out. No secret in any field."""

    name: str
    ok: bool | None
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Sandbox:
    """An emulator: ``app(speed, latency)`` is its ASGI application, ``variables(url)`` what
    points ftbridge and the vendor's own SDK at it (dummy credentials included)."""

    app: Callable[[float, float], Any]
    variables: Callable[[str], dict[str, str]]


@dataclass(frozen=True)
class Context:
    """What a provider is given: where it may keep files, and the options of config and flags."""

    home: Path
    options: Mapping[str, str] = field(default_factory=dict)
