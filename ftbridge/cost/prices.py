"""The price book: dated rows, one file a provider, and the user's own on top.

Which row is taken: the user's, else one that a refresh has read, else the shipped one; the first
that fits. A vendor's live quote wins over all of them (:mod:`ftbridge.cost.estimate`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ftbridge import clock
from ftbridge.cost.types import STALE_DAYS
from ftbridge.errors import UsageError

TOKENS = frozenset({"usd_per_1m_tokens"})
HOURS = frozenset({"usd_per_hour", "usd_per_second"})
UNITS: dict[str, frozenset[str]] = {
    "training_tokens": TOKENS,
    "inference_input": TOKENS,
    "inference_cached_input": TOKENS,
    "inference_output": TOKENS,
    "training_hour": HOURS,
    "hosting_hour": HOURS,
    "gpu_hour": HOURS,
    "cpu_hour": HOURS,
    "cpu_core_hour": HOURS,
    "memory_gib_hour": HOURS,
    "storage_month": frozenset({"usd_per_model_month"}),
    "job_minimum": frozenset({"usd_per_job"}),
    "electricity": frozenset({"usd_per_kwh"}),
}
"""The units that an item may be priced in; a provider of somebody else may have further items."""

Origin = Literal["yours", "refreshed", "shipped", "library"]


class PriceRow(BaseModel):
    """One published price. ``usd`` is per ``unit``; ``source_date`` is when it was true (at the
    earliest, where ``source_date_is`` says ``not_before``), None where nobody says.

    ``model`` may be a bracket or product name; ``models`` then names the ids that it is for.
    ``source`` said it, ``via`` held the copy that was read on ``seen``.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    provider: str
    model: str
    models: tuple[str, ...] = ()
    item: str
    unit: str = Field(pattern="^usd_per_")
    usd: Decimal = Field(ge=0, allow_inf_nan=False)
    method: str | None = None
    training_type: str | None = None
    tier: str | None = None
    region: str | None = None
    regions: tuple[str, ...] | None = None
    meter: str | None = None
    source: str
    via: str | None = None
    source_date: date | None
    source_date_is: str | None = None
    seen: date
    evidence: str
    ends: date | None = None
    note: str = ""
    origin: Origin = "shipped"

    @property
    def age_days(self) -> int | None:
        """Days since the price was true; None where that is not known."""
        return None if self.source_date is None else (clock.today() - self.source_date).days

    @property
    def stale(self) -> bool:
        """Whether the price is older than ``STALE_DAYS``, or of unknown age."""
        return self.age_days is None or self.age_days > STALE_DAYS

    @property
    def ended(self) -> bool:
        """Whether what the price is for is offered no more."""
        return self.ends is not None and self.ends < clock.today()

    @property
    def places(self) -> tuple[str, ...]:
        """The regions that the price is for; empty: all."""
        return self.regions or ((self.region,) if self.region else ())

    @property
    def per_amount(self) -> Decimal:
        """USD per amount of the item: prices by the second are turned into hours."""
        return self.usd * 3600 if self.unit == "usd_per_second" else self.usd

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What a newer figure of the same price has in common with this one."""
        if self.meter:
            return (self.provider, self.meter)
        kind = (self.method, self.training_type, self.tier)
        return (self.provider, self.model, self.item, *kind, *self.places)


Fallback = Callable[[str, str, str], "PriceRow | None"]
"""A price by provider, model and item from elsewhere, or None."""


class PriceBook:
    """The rows of some providers, the user's overrides first.

    Args:
        fallback: asked where no row fits (a library of inference prices).
    """

    def __init__(self, rows: Iterable[PriceRow], fallback: Fallback | None = None) -> None:
        self.rows = list(rows)
        self._fallback = fallback

    @classmethod
    def load(
        cls,
        files: Sequence[Path],
        overrides: Sequence[dict[str, Any]] = (),
        refreshed: Sequence[PriceRow] = (),
        fallback: Fallback | None = None,
    ) -> PriceBook:
        """Read price files; those that are not there are passed over.

        Args:
            files: price files, or folders that hold a ``prices.toml``.
            overrides: rows of ``[[price]]`` in the user's settings; they win over ours.
            refreshed: rows that a refresh has read; they win over shipped ones that are older.

        Raises:
            UsageError: where an override is not a price row.
        """
        shipped = [row for path in files for row in read(path)]
        newest = {row.identity: row.source_date for row in shipped if row.source_date}
        fresh = [
            row
            for row in refreshed
            if row.source_date and row.source_date >= newest.get(row.identity, row.source_date)
        ]
        replaced = {row.identity for row in fresh}
        kept = [row for row in shipped if row.identity not in replaced]
        return cls([*map(override, overrides), *fresh, *kept], fallback)

    def find(
        self,
        provider: str,
        model: str,
        item: str,
        *,
        method: str,
        tier: str | None = None,
        region: str | None = None,
        adapter: str | None = None,
        priced_as: str | None = None,
    ) -> PriceRow | None:
        """The price of an item of a model; of the vendor's standard tier unless one is named.

        A row without a method, a tier, a training type or regions, or of the model `*`, holds
        for all; `rl` is called `rft` by some price lists; QLoRA is priced as LoRA.
        """
        methods = {method, "rft"} if method == "rl" else {method}
        names = {model, priced_as, "*"}
        kind = {"qlora": "lora", "managed": None}.get(adapter or "managed", adapter)
        for row in self.rows:
            if (row.provider, row.item) != (provider, item):
                continue
            if row.model not in names and model not in row.models:
                continue
            if row.method is not None and row.method not in methods:
                continue
            if kind and row.training_type is not None and row.training_type != kind:
                continue
            if region is not None and row.places and region not in row.places:
                continue
            if tier is None or row.tier in (tier, None):
                return row
        return self._fallback(provider, model, item) if self._fallback else None


@cache
def read(path: Path) -> list[PriceRow]:
    """The rows of one price file or folder; none where there is no file. A bad one is our bug."""
    path = path / "prices.toml" if path.is_dir() else path
    if not path.exists():
        return []
    try:
        data = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        return [PriceRow.model_validate(row) for row in data["price"]]
    except (ValidationError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from error


def override(row: dict[str, Any]) -> PriceRow:
    """A row of the user's settings; without a ``source_date`` its age stays unknown.

    Raises:
        UsageError: where it is no price row, or in a unit that the item has not.
    """
    defaults = {"source": "your settings", "source_date": None, "seen": clock.today()}
    try:
        found = PriceRow.model_validate({"evidence": "user"} | defaults | row | {"origin": "yours"})
    except ValidationError as error:
        fault = error.errors()[0]
        raise UsageError(
            f"[[price]] in the settings: {'.'.join(map(str, fault['loc']))}: {fault['msg']}",
            hint="a row needs provider, model, item, unit and usd",
        ) from None
    units = UNITS.get(found.item)
    if units and found.unit not in units:
        raise UsageError(
            f"[[price]] in the settings: {found.item} is not priced in {found.unit}",
            hint=f"one of: {', '.join(sorted(units))}",
            where="unit",
        )
    return found
