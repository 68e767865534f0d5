"""The states of a job, the same for every provider, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a job is. The vendor's own word is always kept beside it as ``raw_state``.

    ``uncertain``: a create was sent, its outcome is not known. ``unknown``: the vendor used a
    word that the adapter's table does not hold; such a job is watched on, never taken as ended.
    """

    PREPARING = "preparing"
    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"
    UNKNOWN = "unknown"


FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
"""Nothing follows these."""

LOCAL = frozenset({State.PREPARING, State.UNCERTAIN})
"""States before the vendor is known to have the job."""


def is_legal(before: State, after: State) -> bool:
    """Whether a job may go from one state to the other.

    A final state is final; nothing returns to ``preparing``; ``uncertain`` comes only from an
    unfinished submit. Everything else may happen at some vendor, skipping included, since a
    poll sees only samples.
    """
    if before == after:
        return True
    if before in FINAL:
        return False
    if after is State.PREPARING:
        return before is State.UNCERTAIN
    if after is State.UNCERTAIN:
        return before is State.PREPARING
    return True
