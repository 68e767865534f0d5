"""Following jobs: one look, or looking until something final happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ftbridge import clock
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.retry import patiently
from ftbridge.jobs.states import LOCAL, State
from ftbridge.provider import Provider, RemoteEvent, RemoteJob

NEEDS_A_PERSON = frozenset({State.PAUSED, State.UNCERTAIN})
"""States that waiting alone does not end."""


class Update(NamedTuple):
    """What one look brought."""

    job: JobRow
    new_events: list[RemoteEvent]


def refresh(job: JobRow, provider: Provider, ledger: Ledger) -> Update:
    """Ask the provider once and write down what is new."""
    if job.remote_id is None or job.state in LOCAL:
        return Update(job, [])
    remote = patiently(provider.get, job.remote_id)
    new: list[RemoteEvent] = []
    if provider.supports("events"):
        new = ledger.history.add_events(job.id, patiently(provider.events, job.remote_id))
    if provider.supports("metrics"):
        ledger.history.add_metrics(job.id, patiently(provider.metrics, job.remote_id))
    return Update(_record(job, remote, ledger), new)


def watch(
    job: JobRow,
    provider_of: Callable[[JobRow], Provider],
    ledger: Ledger,
    *,
    interval: float | None = None,
) -> Iterator[Update]:
    """Look again and again until the job is final or needs a person.

    Args:
        interval: seconds between two looks; the provider's own by default.
    """
    provider = provider_of(job)
    pause = provider.poll_seconds if interval is None else interval
    while True:
        update = refresh(job, provider, ledger)
        yield update
        job = update.job
        if job.is_final or job.state in NEEDS_A_PERSON or job.state in LOCAL:
            return
        clock.sleep(pause)


def _record(job: JobRow, remote: RemoteJob, ledger: Ledger) -> JobRow:
    return ledger.jobs.move(
        job.id,
        remote.state,
        raw_state=remote.raw_state,
        stopping=remote.stopping,
        result_model=remote.model,
        error=remote.error,
        progress=remote.progress,
        billed_tokens=remote.trained_tokens,
    )
