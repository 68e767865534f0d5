"""A Ray job in our words, and the command that it runs.

Source: ``JobDetails`` and ``JobStatus`` of ray 2.60.0 (read 2026-11-25).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ftbridge.errors import NetworkError
from ftbridge.jobs.states import State
from ftbridge.shapes import RemoteJob
from ftbridge.vendor_errors import explain

STATES = {
    "PENDING": State.QUEUED,
    "RUNNING": State.RUNNING,
    "STOPPED": State.CANCELLED,
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
}
ENDED = frozenset({State.CANCELLED, State.SUCCEEDED, State.FAILED})
FOLDER = Path(__file__).parent
HOUR_MS = 3_600_000


def job(row: Any, rate: Decimal | None) -> RemoteJob:
    """A ``JobDetails``.

    Raises:
        NetworkError: it is none.
    """
    try:
        word, name = str(row["status"]), str(row["submission_id"])
        begun, ended = row.get("start_time"), row.get("end_time")
        state = STATES.get(word, State.UNKNOWN)
        return RemoteJob(
            id=name,
            state=state,
            raw_state=word,
            error=_error(row) if state is State.FAILED else None,
            created_at=_stamp(begun),
            finished_at=_stamp(ended),
            billed_usd=_bill(begun, ended, rate) if state in ENDED else None,
        )
    except (KeyError, TypeError, ValueError):
        raise NetworkError(
            "the answer is not Ray's: no job in it", hint="check --base-url"
        ) from None


def entrypoint(command: Sequence[str], attempts: int) -> str:
    """A shell line that begins the command again, ``attempts`` times at most, where its machine
    gave notice (75) or it was killed (128 and above); what failed by itself stays so."""
    return (
        f"left={attempts}; while :; do {shlex.join(command)}; code=$?; left=$((left-1)); "
        'case $code in 75|12[89]|1[3-9]?|2??) [ "$left" -gt 0 ] && continue;; esac; '
        "exit $code; done"
    )


def _error(row: Any) -> dict[str, str]:
    """Ray's kind of failure. Its message is left out: it repeats what the job has printed."""
    kind = row.get("error_type") or "failed"
    return {"code": kind.lower(), "message": explain(FOLDER, None, None, kind).cause
            if row.get("error_type") else "the job failed"}  # fmt: skip


def _bill(begun: int | None, ended: int | None, rate: Decimal | None) -> Decimal | None:
    if rate is None or begun is None or ended is None:
        return None
    return rate * (ended - begun) / HOUR_MS


def _stamp(milliseconds: int | None) -> str | None:
    if not milliseconds:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
