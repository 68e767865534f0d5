"""Reading public price sources again, so that the book grows no older than it has to.

A source is a function in its vendor's folder, named in the entry-point group
``ftbridge.price_refresh``: it is given the rows that are known and a :class:`Fetch`, and returns
the rows that it has read. What is not read stays as it was, with its old date. An answer that
cannot be right (another currency, no known price in it, a price that jumps) changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ftbridge import clock
from ftbridge.cost.prices import PriceRow
from ftbridge.errors import FtbridgeError, NetworkError, NotInstalled, UsageError, VendorError

GROUP = "ftbridge.price_refresh"
JUMP = Decimal(5)
"""A price that grows or falls by more than this factor is shown and not taken."""
LATER = "the prices are as they were; try again later"
REPORT = "the prices are as they were; please report this"
TIMEOUT_SECONDS = 120.0
"""The largest source is one JSON document of a whole region."""


@dataclass(frozen=True)
class Answer:
    """A JSON answer, and the day on which it was true at the earliest: that of the server's
    ``Date`` header less its ``Age``, never later than today."""

    content: Any
    day: date


class Fetch:
    """GET and decode, without a key; every call of one refresh goes through one of these.

    Args:
        base_url: asked instead of the sources' own addresses (a mirror, or an emulator).
    """

    def __init__(self, base_url: str | None = None) -> None:
        self._base = base_url

    def json(self, url: str, params: Mapping[str, str] | None = None) -> Answer:
        """The decoded answer; numbers with a point come as Decimal.

        Raises:
            NetworkError: no answer. VendorError: another status than 200, or no JSON.
            NotInstalled: without the extra.
        """
        try:
            import httpx2
        except ImportError:
            raise NotInstalled(
                "refreshing prices needs httpx2", hint="pip install 'ftbridge[prices]'"
            ) from None
        place = self._moved(url)
        try:
            response = httpx2.get(
                place, params=dict(params) if params else None, timeout=TIMEOUT_SECONDS
            )
        except httpx2.HTTPError as error:
            raise NetworkError(
                f"{urlsplit(place).netloc} did not answer: {type(error).__name__}",
                hint=LATER,
            ) from None
        if response.status_code != 200:
            raise VendorError(
                f"{urlsplit(place).netloc} answered {response.status_code}",
                hint=LATER,
                status=response.status_code,
            )
        return Answer(_decoded(response.content, place), day_of(response.headers))

    def _moved(self, url: str) -> str:
        if self._base is None:
            return url
        there, wanted = urlsplit(self._base), urlsplit(url)
        return urlunsplit((there.scheme, there.netloc, wanted.path, wanted.query, ""))


Source = Callable[[Sequence[PriceRow], Fetch], Iterable[PriceRow]]


@dataclass(frozen=True)
class Change:
    """One price that is another now."""

    row: PriceRow
    before: Decimal | None


@dataclass
class Outcome:
    """What one vendor's refresh came to. ``missing`` are prices that the source has no more;
    they keep their date. ``error``: why nothing was taken."""

    provider: str
    read: int = 0
    changed: list[Change] = field(default_factory=list)
    missing: list[PriceRow] = field(default_factory=list)
    jumped: list[Change] = field(default_factory=list)
    rows: list[PriceRow] = field(default_factory=list)
    error: FtbridgeError | None = None


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def names() -> list[str]:
    """The vendors whose prices can be read again."""
    return list(_points())


def refresh(
    provider: str, known: Sequence[PriceRow], fetch: Fetch, *, allow_jumps: bool = False
) -> Outcome:
    """Read one vendor's source.

    Args:
        known: its rows as they are now, without the user's own.
        allow_jumps: take prices too that have changed by more than :data:`JUMP`.

    Returns:
        What was read; with ``error``, and no rows, where the answer cannot be taken.
    """
    if provider not in _points():
        raise UsageError(
            f"the prices of `{provider}` cannot be refreshed: it publishes none without a key",
            hint=f"these can: {', '.join(names())}; for others see `ftbridge prices set`",
            where="provider",
        )
    source: Source = _points()[provider].load()
    outcome = Outcome(provider)
    try:
        found = list(source(known, fetch))
        _require_sound(provider, found)
    except FtbridgeError as error:
        error.hint = error.hint or REPORT
        outcome.error = error
        return outcome
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        outcome.error = VendorError(
            f"{provider}'s price source has another shape than it had: {type(error).__name__}",
            hint=REPORT,
        )
        return outcome
    _compare(outcome, known, found, allow_jumps)
    return outcome


def _compare(
    outcome: Outcome, known: Sequence[PriceRow], found: Sequence[PriceRow], allow_jumps: bool
) -> None:
    before: dict[tuple[str | None, ...], Decimal] = {}
    for row in known:  # of several by region the first, which is the dearest
        before.setdefault(row.identity, row.usd)
    seen = {row.identity for row in found}
    outcome.read = len(found)
    outcome.missing = [row for row in known if row.identity not in seen]
    told: set[tuple[str | None, ...]] = set()
    for row in found:
        old = before.get(row.identity)
        if old is not None and not allow_jumps and not _plausible(old, row.usd):
            outcome.jumped.append(Change(row, old))
        elif row.identity not in told and row.usd != old:
            outcome.changed.append(Change(row, old))
        told.add(row.identity)
    jumped = {change.row.identity for change in outcome.jumped}
    outcome.rows = [row for row in found if row.identity not in jumped]
    outcome.changed = [item for item in outcome.changed if item.row.identity not in jumped]


def _plausible(old: Decimal, new: Decimal) -> bool:
    return old / JUMP <= new <= old * JUMP if old else new == 0


def _require_sound(provider: str, rows: Sequence[PriceRow]) -> None:
    """Raise VendorError where an answer holds nothing that can be believed."""
    if not rows:
        raise VendorError(
            f"{provider}'s price source names none of the prices that we know",
            hint=REPORT,
        )
    today = clock.today()
    for row in rows:
        if row.usd == 0 or (row.source_date is not None and row.source_date > today):
            raise VendorError(
                f"{provider}'s price source says {row.usd} USD for {row.model} {row.item} on "
                f"{row.source_date}",
                hint=REPORT,
            )


def _decoded(body: bytes, place: str) -> Any:
    import json

    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError:
        raise VendorError(
            f"{urlsplit(place).netloc} answered with something that is no JSON",
            hint=LATER,
        ) from None


def day_of(headers: Mapping[str, str]) -> date:
    """When an answer was true at the earliest, by its headers; never later than today."""
    try:
        sent = parsedate_to_datetime(headers["date"]).astimezone(UTC)
        moment = sent - timedelta(seconds=int(headers.get("age", "0")))
    except (KeyError, ValueError, TypeError, OverflowError):
        return clock.today()
    return min(moment.date(), clock.today())
