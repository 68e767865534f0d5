"""The one place that is asked what time it is.

Closing dates lie weeks away, so a test or a rehearsal has to be able to stand on another day:
``FTBRIDGE_NOW`` (RFC 3339, or a bare date) pins the calendar. Durations are not pinned.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime

from ftbridge.errors import UsageError


def now() -> datetime:
    """The current moment in UTC, or the one that ``FTBRIDGE_NOW`` pins.

    Raises UsageError where that variable is not a date.
    """
    pinned = os.environ.get("FTBRIDGE_NOW")
    return parse(pinned, "FTBRIDGE_NOW") if pinned else datetime.now(UTC)


def real_now() -> datetime:
    """The true moment in UTC, never pinned: for leases between processes."""
    return datetime.now(UTC)


def today() -> date:
    """The current day in UTC."""
    return now().date()


def parse(text: str, where: str = "") -> datetime:
    """RFC 3339 text (or a bare date, meaning midnight UTC) to an aware UTC moment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"`{text}` is not a date",
            hint="write it as 2026-11-24 or 2026-11-24T08:00:00Z",
            where=where,
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def stamp(moment: datetime | None = None) -> str:
    """RFC 3339 with microseconds, in UTC: sorts as text in the order of time."""
    return (moment or now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_epoch(seconds: float) -> str:
    """Unix seconds to the same text form."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


def monotonic() -> float:
    """Seconds for measuring durations."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait; apart so that tests can replace it."""
    time.sleep(seconds)
