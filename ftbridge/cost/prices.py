"""The price book: dated rows, one file a provider, and the user's own on top."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ftbridge import clock
from ftbridge.errors import UsageError

STALE_DAYS = 90
"""An older price is still shown, and says that it is old."""


class PriceRow(BaseModel):
    """One published price. ``usd`` is per ``unit``; ``source_date`` is when it was true."""

    model_config = ConfigDict(frozen=True, extra="allow")

    provider: str
    model: str
    item: str
    unit: str
    usd: Decimal = Field(ge=0)
    method: str | None = None
    tier: str | None = None
    region: str | None = None
    regions: tuple[str, ...] | None = None
    source: str
    source_date: date
    seen: date
    evidence: str
    ends: date | None = None

    @property
    def stale(self) -> bool:
        """Whether the price is older than ``STALE_DAYS``."""
        return (clock.today() - self.source_date).days > STALE_DAYS


class PriceBook:
    """The rows of some providers, the user's overrides first."""

    def __init__(self, rows: Iterable[PriceRow]) -> None:
        self.rows = list(rows)

    @classmethod
    def load(cls, folders: Sequence[Path], overrides: Sequence[dict[str, Any]] = ()) -> PriceBook:
        """Read ``prices.toml`` of each folder that has one.

        Args:
            overrides: rows of ``[[price]]`` in the user's settings; they win over ours.

        Raises:
            UsageError: where an override is not a price row.
        """
        rows = [_override(row) for row in overrides]
        for folder in folders:
            rows += _read(folder / "prices.toml")
        return cls(rows)

    def find(
        self,
        provider: str,
        model: str,
        item: str,
        *,
        method: str,
        tier: str | None = None,
        region: str | None = None,
    ) -> PriceRow | None:
        """The price of an item of a model; of the vendor's standard tier unless one is named.

        A row without a method, a tier or regions, or of the model `*`, holds for all; `rl` is
        called `rft` by some price lists.
        """
        names = {method, "rft"} if method == "rl" else {method}
        for row in self.rows:
            if (row.provider, row.item) != (provider, item) or row.model not in (model, "*"):
                continue
            if row.method is not None and row.method not in names:
                continue
            if region is not None and row.regions is not None and region not in row.regions:
                continue
            if tier is None or row.tier in (tier, None):
                return row
        return None


@cache
def _read(path: Path) -> list[PriceRow]:
    if not path.exists():
        return []
    try:
        data = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        return [PriceRow.model_validate(row) for row in data["price"]]
    except (ValidationError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from error


def _override(row: dict[str, Any]) -> PriceRow:
    today = clock.today()
    defaults = {"source": "your settings", "source_date": today, "seen": today, "evidence": "user"}
    try:
        return PriceRow.model_validate(defaults | row)
    except ValidationError as error:
        fault = error.errors()[0]
        raise UsageError(
            f"[[price]] in the settings: {'.'.join(map(str, fault['loc']))}: {fault['msg']}",
            hint="a row needs provider, model, item, unit and usd",
        ) from None
