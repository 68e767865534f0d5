"""Facts about a provider as data: what it tunes, how, until when, and who says so.

Each provider keeps a ``catalogue.toml`` in its folder; this module gives it a shape.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ftbridge.cost.types import Grade
from ftbridge.errors import Unsupported, UsageError
from ftbridge.graders import Grader
from ftbridge.jobs.spec import Adapter, Hyperparameters, Method


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Frozen):
    """Who says it, and the day on which it was read."""

    source: str
    as_of: date


class Closing(Source):
    """A dated end. ``restricted_from``: some customers are refused from that day on."""

    closed_after: date
    restricted_from: date | None = None
    message: str


class Range(_Frozen):
    """What a hyperparameter may be at the vendor; None where no bound is known."""

    min: float | None = None
    max: float | None = None


class TokenRule(_Frozen):
    """How a model's tokens are counted: the vocabulary, and the frame around each message.

    ``frame``: ``counted`` (so many tokens a message and an example), or a chat template of
    :mod:`ftbridge.cost.tokens.templates`. ``grade``: ``exact`` where the vendor is known to count
    in just this way.
    """

    vocabulary: str
    per_message: int = 0
    per_example: int = 0
    frame: str = "counted"
    grade: Grade = "exact text, assumed frame"
    source: str


class AutoEpochs(Source):
    """How many epochs the vendor runs when none are asked for (an assumption, shown as such).

    ``target`` epochs, changed so that epochs x examples lies between the two bounds, where the
    vendor has such bounds.
    """

    target: int
    min_examples: int = 0
    max_examples: int | None = None
    max_epochs: int = 1000

    def epochs(self, examples: int) -> int:
        """The assumed number for that many examples."""
        if examples * self.target < self.min_examples:
            return min(self.max_epochs, max(1, self.min_examples // max(1, examples)))
        if self.max_examples is not None and examples * self.target > self.max_examples:
            return max(1, self.max_examples // examples)
        return self.target


class Residency(Source):
    """Where the vendor keeps and trains on data, or that it promises nothing of the kind."""

    message: str


class Nothing(Source):
    """Why nothing can be tuned here at all, and what remains."""

    message: str
    hint: str


class Limits(_Frozen):
    """What the vendor demands of a request; what it demands of data is in ``rules.toml``."""

    max_suffix: int | None = None
    source: str


class TunableModel(Source):
    """One model that can be tuned there."""

    model: str
    family: str | None = None
    methods: tuple[Method, ...]
    adapters: tuple[Adapter, ...] = (Adapter.MANAGED,)
    context: int | None = None
    default: bool = False
    closed_after: date | None = None
    ends: date | None = None
    note: str = ""
    tokens: TokenRule | None = None
    """Its own rule, where the catalogue's does not hold for it."""


class Catalogue(_Frozen):
    """All facts of one provider."""

    provider: str
    title: str
    as_of: date
    closing: Closing | None = None
    nothing: Nothing | None = None
    residency: Residency | None = None
    limits: Limits
    tokens: TokenRule | None = None
    auto_epochs: AutoEpochs | None = None
    hyperparameters: dict[Method, dict[str, Range]]
    graders: tuple[str, ...] = ()
    models: tuple[TunableModel, ...] = ()
    open_models: bool = False
    """Whether models that are not listed are taken too, with ``open_adapters``."""
    open_adapters: tuple[Adapter, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read a ``catalogue.toml``; a bad one is our bug and raises ValueError."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except ValidationError as error:
            raise ValueError(f"{path}: {error}") from error

    @property
    def methods(self) -> list[Method]:
        """Every method that some model allows, in the order of the enum."""
        named = {method for row in self.models for method in row.methods}
        free = self.hyperparameters.keys() if self.open_models else set()
        return [method for method in Method if method in named | free]

    @property
    def adapters(self) -> list[Adapter]:
        """Every adapter that some model allows."""
        named = {item for row in self.models for item in row.adapters}
        return [item for item in Adapter if item in named | set(self.open_adapters)]

    def default_model(self, method: Method) -> str:
        """The model for which nobody was asked."""
        for row in sorted(self.models, key=lambda row: not row.default):
            if method in row.methods:
                return row.model
        if method in self.methods:
            raise UsageError(
                f"{self.provider} takes any model, and has no default",
                hint="name one with --model",
                where="model",
            )
        raise self._no_method(method)

    def model(self, name: str) -> TunableModel | None:
        """The row of a model by its id or family."""
        return next((row for row in self.models if name in (row.model, row.family)), None)

    def require(self, name: str, method: Method, adapter: Adapter | None) -> TunableModel | None:
        """The row of a model, checked for method and adapter.

        None where the model is not listed but any model is taken (``open_models``).

        Raises:
            Unsupported: naming what would do.
        """
        row = self.model(name)
        if row is None:
            if self.open_models and method in self.methods:
                return None
            if self.open_models or self.nothing:
                raise self._no_method(method)
            known = ", ".join(item.model for item in self.models)
            raise Unsupported(
                f"{self.provider} does not tune `{name}` (as of {self.as_of})",
                hint=f"it tunes: {known}",
                where="model",
            )
        if method not in row.methods:
            raise Unsupported(
                f"{self.provider} does not do {method} on {row.model}",
                hint=f"it does: {', '.join(row.methods)}",
                where="method",
            )
        if adapter is not None and adapter not in row.adapters:
            raise Unsupported(
                f"{self.provider} does not do the adapter {adapter} on {row.model}",
                hint=f"it does: {', '.join(row.adapters)}",
                where="adapter",
            )
        return row

    def check_hyperparameters(self, method: Method, given: Hyperparameters) -> None:
        """Refuse what the provider does not take, or takes only in another range.

        Raises:
            UsageError: listing what it takes.
            Unsupported: where nothing can be tuned at all.
        """
        if self.nothing:
            raise self._no_method(method)
        takes = self.hyperparameters.get(method, {})
        for name, value in given.given().items():
            flag = "--" + name.replace("_", "-")
            if name not in takes:
                raise UsageError(
                    f"{self.provider} takes no {name} for {method}",
                    hint=f"it takes: {', '.join(takes)}; leave {flag} out",
                    where=name,
                    code="unknown_hyperparameter",
                )
            low, high = takes[name].min, takes[name].max
            if (low is not None and value < low) or (high is not None and value > high):
                raise UsageError(
                    f"{name} {value} is outside {_span(low, high)} at {self.provider}",
                    hint=f"change {flag}",
                    where=name,
                    code="out_of_range",
                )

    def check_grader(self, method: Method, grader: Grader | None) -> None:
        """Refuse a grader where none is taken, a missing one, and kinds that are not taken.

        Raises:
            UsageError: naming what is taken.
        """
        takes = ", ".join(self.graders)
        if grader is None:
            if method is Method.RL and self.graders:
                raise UsageError(
                    f"{method} at {self.provider} needs a grader",
                    hint=f"give --grader FILE (JSON or TOML), of the kind {takes}",
                    where="grader",
                    code="missing_grader",
                )
        elif method is not Method.RL or not self.graders:
            what = self.provider if method is Method.RL else f"method {method}"
            raise UsageError(f"{what} takes no grader", hint="leave --grader out", where="grader")
        elif unknown := sorted(grader.kinds() - set(self.graders)):
            raise UsageError(
                f"{self.provider} takes no grader of the kind {unknown[0]}",
                hint=f"it takes: {takes}",
                where="grader",
            )

    def _no_method(self, method: Method) -> Unsupported:
        if self.nothing:
            said = f"{self.nothing.message} (as of {self.nothing.as_of}: {self.nothing.source})"
            return Unsupported(said, hint=self.nothing.hint, where=self.provider)
        return Unsupported(
            f"{self.provider} does not do {method}",
            hint=f"it does: {', '.join(self.methods)}",
            where="method",
        )


def _span(low: float | None, high: float | None) -> str:
    return f"{'...' if low is None else f'{low:g}'} to {'...' if high is None else f'{high:g}'}"


def dump(model: TunableModel) -> dict[str, Any]:
    """A model row as JSON data."""
    return model.model_dump(mode="json")
