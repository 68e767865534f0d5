"""What in the ledger stops working, when, who says so, and the command that moves it elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

from ftbridge import clock
from ftbridge.catalogue import Catalogue
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.spec import Method
from ftbridge.jobs.states import State

YEAR_DAYS = 365
"""What ends within a year is no place to move to, where there is another."""

ENDED_WITHOUT_MODEL = frozenset({State.FAILED, State.CANCELLED})


@dataclass(frozen=True)
class Ending:
    """A dated end with its source. ``what``: the provider takes no new jobs (``service``), none
    of this model (``tuning``), or the model and what was tuned from it stop answering
    (``model``)."""

    what: Literal["service", "tuning", "model"]
    day: date
    message: str
    source: str
    as_of: date


@dataclass(frozen=True)
class Retirement:
    """A job of the ledger, with its tuned model, that an ending concerns.

    ``made`` is when the job was. ``days`` are left until the end, negative where it is past.
    ``move`` is a command; None where no other provider does the job's method.
    """

    job: str
    provider: str
    state: State
    base_model: str
    model: str | None
    made: str
    ending: Ending
    days: int
    move: str | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "job": self.job,
            "provider": self.provider,
            "state": str(self.state),
            "base_model": self.base_model,
            "model": self.model,
            "what": self.ending.what,
            "date": self.ending.day.isoformat(),
            "days": self.days,
            "message": self.ending.message,
            "source": self.ending.source,
            "as_of": self.ending.as_of.isoformat(),
            "move": self.move,
        }


def endings(catalogue: Catalogue, model: str) -> list[Ending]:
    """Every dated end that concerns a base model at a provider, soonest first."""
    found: list[Ending] = []
    closing, row = catalogue.closing, catalogue.model(model)
    if closing:
        found.append(
            Ending("service", closing.closed_after, closing.message, closing.source, closing.as_of)
        )
    if row and row.closed_after:
        said = f"{catalogue.title} tunes {row.model} no more after {row.closed_after}"
        found.append(Ending("tuning", row.closed_after, said, row.source, row.as_of))
    if row and row.ends:
        said = f"{row.model} and models tuned from it stop answering on {row.ends}"
        found.append(Ending("model", row.ends, said, row.source, row.as_of))
    return sorted(found, key=lambda ending: ending.day)


def retirements(
    rows: Iterable[JobRow], catalogues: Sequence[Catalogue], within: int | None = None
) -> list[Retirement]:
    """Which jobs are concerned by an end, soonest first; a job once for each end.

    Jobs that failed or were cancelled have no model, and are left out, as are jobs of providers
    that are not installed.

    Args:
        catalogues: of every provider that is known here.
        within: only what ends in so many days, or has ended.
    """
    known = {catalogue.provider: catalogue for catalogue in catalogues}
    today = clock.today()

    @cache
    def ends(provider: str, model: str) -> list[Ending]:
        return endings(known[provider], model)

    @cache
    def elsewhere(provider: str, model: str, method: str) -> tuple[str, str | None] | None:
        return destination(provider, model, Method(method), known)

    found = []
    for row in rows:
        if row.state in ENDED_WITHOUT_MODEL or row.provider not in known:
            continue
        for ending in ends(row.provider, row.model):
            days = (ending.day - today).days
            if within is None or days <= within:
                place = elsewhere(row.provider, row.model, row.method)
                found.append(
                    Retirement(
                        row.id, row.provider, row.state, row.model, row.result_model,
                        row.created_at, ending, days, place and command(row.id, *place),
                    )
                )  # fmt: skip
    return sorted(found, key=lambda item: (item.ending.day, item.made, item.job))


def command(job: str, provider: str, model: str | None) -> str:
    """The command line that moves a job."""
    words = ["ftbridge", "move", job, "--to", provider]
    return shlex.join(words + (["--model", model] if model else []))


def destination(
    provider: str, model: str, method: Method, catalogues: Mapping[str, Catalogue]
) -> tuple[str, str | None] | None:
    """Where a job can go on: a provider, and a model where its default or family will not do.

    First the same family elsewhere, then another model at the same provider, then any that does
    the method; what ends within a year comes after all that does not.
    """
    row = catalogues[provider].model(model)
    family = row.family if row else None
    choices: list[tuple[tuple[bool, int, str], tuple[str, str | None]]] = []
    for name, catalogue in catalogues.items():
        if method not in catalogue.methods or not catalogue.models:
            continue
        same = catalogue.model(family) if family else None
        default = catalogue.default_model(method)
        if name == provider:
            if default != model:
                choices.append(((_dies(catalogue, default), 1, name), (name, default)))
        elif same and method in same.methods:
            choices.append(((_dies(catalogue, same.model), 0, name), (name, None)))
        else:
            choices.append(((_dies(catalogue, default), 2, name), (name, None)))
    return min(choices)[1] if choices else None


def _dies(catalogue: Catalogue, model: str) -> bool:
    """Whether something there ends within a year."""
    today = clock.today()
    return any((ending.day - today).days <= YEAR_DAYS for ending in endings(catalogue, model))
