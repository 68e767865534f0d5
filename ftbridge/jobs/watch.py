"""Looking at a job: one look, or looking until something final happens."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ftbridge import clock
from ftbridge.errors import FtbridgeError
from ftbridge.jobs.billing import bill, of_tokens
from ftbridge.jobs.late_price import hold
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.retry import patiently
from ftbridge.jobs.states import FINAL, LOCAL, State
from ftbridge.provider import Provider, RemoteEvent, RemoteJob

NEEDS_A_PERSON = frozenset({State.PAUSED, State.UNCERTAIN})
"""States that waiting alone does not end."""

HISTORY = "history"
"""The step that is done once the events of a job's whole life are kept."""


class Update(NamedTuple):
    """What one look brought. ``warnings`` are said once; ``trouble`` is why a look failed."""

    job: JobRow
    new_events: list[RemoteEvent]
    warnings: list[str] = []  # noqa: RUF012 - never changed
    trouble: FtbridgeError | None = None


class Rhythm:
    """How long to wait: the interval after news, up to half as long again in quiet times, with
    jitter so that many watchers do not ask at once. After trouble up to ten times as long."""

    def __init__(self, interval: float) -> None:
        self._interval = self._pause = interval

    def next(self, *, news: bool, trouble: bool = False) -> float:
        """Seconds until the next look."""
        if trouble:
            self._pause = min(self._pause * 2, self._interval * 10)
        else:
            self._pause = self._interval if news else min(self._pause * 1.1, self._interval * 1.5)
        return self._pause * random.uniform(0.9, 1.0)  # noqa: S311 - no secret


def refresh(job: JobRow, provider: Provider, ledger: Ledger) -> Update:
    """Ask the provider once and write down what is new; a final job is only completed."""
    if job.remote_id is None or job.state in LOCAL:
        return Update(job, [])
    if job.is_final:
        return Update(job, record_history(job, provider, ledger))
    seen = record_state(job, patiently(provider, provider.get, job.remote_id), provider, ledger)
    new = record_history(seen.job, provider, ledger)
    return seen._replace(new_events=new)


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

    Raises:
        ProviderError: after the provider's patience; the job goes on all the same.
    """
    provider = provider_of(job)
    rhythm = Rhythm(provider.poll_seconds if interval is None else interval)
    while True:
        update = refresh(job, provider, ledger)
        yield update
        news = update.job != job or bool(update.new_events)
        job = update.job
        if job.is_final or job.state in NEEDS_A_PERSON or job.state in LOCAL:
            return
        clock.sleep(rhythm.next(news=news))


def record_state(job: JobRow, remote: RemoteJob, provider: Provider, ledger: Ledger) -> Update:
    """Write down what the vendor says of a job, and what is odd about it."""
    if remote.estimated_usd is not None:
        remote = hold(json.loads(job.plan).get("max_usd"), remote, provider)
    columns: dict[str, Any] = {
        "raw_state": remote.raw_state,
        "stopping": remote.stopping and remote.state not in FINAL,
        "result_model": remote.model,
        "error": remote.error,
        "progress": remote.progress,
        "billed_tokens": remote.trained_tokens,
    }
    billed = bill(job, remote)
    if billed is not None:
        columns["billed_micro"] = billed
    row = ledger.jobs.move(job.id, remote.state, **columns)
    odd = [_unknown(row), _stalled(row, provider)]
    if row != job:
        odd.append(_over_estimate(row, remote))
    warnings = [what[2] for what in odd if what and ledger.history.warn(row.id, *what)]
    return Update(row, [], warnings)


def record_history(job: JobRow, provider: Provider, ledger: Ledger) -> list[RemoteEvent]:
    """Keep events and metrics; of a job that has ended, once and for all.

    Returns:
        The events that nobody had seen.
    """
    if job.is_final and ledger.steps.get(job.id, HISTORY)[0] == "done":
        return []
    events, metrics = patiently(provider, provider.history, str(job.remote_id))
    new = ledger.history.add_events(job.id, events)
    ledger.history.add_metrics(job.id, metrics)
    if job.is_final:
        ledger.steps.finish(job.id, HISTORY, None)
    elif new:
        ledger.jobs.touch(job.id)
    return new


Odd = tuple[str, str, str]
"""Code of a warning, what it is about, and the sentence."""


def _unknown(row: JobRow) -> Odd | None:
    if row.state is not State.UNKNOWN:
        return None
    raw = str(row.raw_state)
    return (
        "unknown_state",
        raw,
        (
            f"{row.id}: {row.provider} says `{raw}`, which this version does not know; "
            "it is watched on"
        ),
    )


def _stalled(row: JobRow, provider: Provider) -> Odd | None:
    if row.is_final or row.state in NEEDS_A_PERSON:
        return None
    quiet = (clock.now() - clock.parse(row.updated_at)).total_seconds()
    if quiet <= provider.stall_seconds:
        return None
    return (
        "stalled",
        row.updated_at,
        (
            f"{row.id}: no news for {quiet / 60:.0f} minutes, longer than usual at {row.provider}; "
            f"look there, or `ftbridge cancel {row.id}`"
        ),
    )


def _over_estimate(row: JobRow, remote: RemoteJob) -> Odd | None:
    """Where the vendor's own numbers say that the job costs more than was planned."""
    tokens = json.loads(row.plan)["tokens"]
    planned = tokens["high"] * tokens["n_epochs"]
    expected = remote.trained_tokens or tokens["high"] * (remote.n_epochs or 0)
    if expected <= planned or row.estimate_high_micro is None:
        return None
    # Only the training grows with its tokens: hosting, where there is some, stays as planned.
    training = of_tokens(row, planned)
    grows = row.estimate_high_micro if training is None else training
    usd = (row.estimate_high_micro + grows * (expected - planned) / planned) / 1e6
    return (
        "over_estimate",
        str(expected),
        (
            f"{row.id}: {row.provider} trains {expected:,} tokens, not {planned:,}: about "
            f"{usd:.2f} USD instead of {row.estimate_high_micro / 1e6:.2f}; stop it with "
            f"`ftbridge cancel {row.id}`"
        ),
    )
