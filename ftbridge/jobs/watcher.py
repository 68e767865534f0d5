"""Following any number of jobs in one process: a thread for each place, a pool for its calls.

States come first and cheaply (one list call for many jobs where the vendor has a list); events
follow as the vendor's rate limit allows, first those of jobs that have changed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from ftbridge import clock
from ftbridge.errors import FtbridgeError, ProviderError
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.retry import may_pass, patiently
from ftbridge.jobs.states import State
from ftbridge.jobs.watch import Rhythm, Update, record_history, record_state
from ftbridge.provider import Provider, RemoteJob

ACTIVE = (State.VALIDATING, State.QUEUED, State.RUNNING, State.UNKNOWN)
"""States that end by themselves."""

WORKERS = 4
"""Calls to one place at the same time."""

QUIET_FACTOR = 8
"""Events of a quiet job are fetched this many times less often than its state is looked at."""

T = TypeVar("T")


class Pace:
    """At most so many calls a second, whoever makes them."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Wait for one's turn, or for the stop."""
        with self._lock:
            turn = max(self._free_at, clock.monotonic())
            self._free_at = turn + self._gap
        stop.wait(max(0.0, turn - clock.monotonic()))


class Watcher:
    """Follows the jobs that ``active`` lists, whenever it is asked, until it lists none.

    Args:
        place_of: the provider of a job; jobs of equal ``place_key`` share the first one's.
        interval: seconds between two looks; each provider's own by default.
    """

    def __init__(
        self,
        active: Callable[[], list[JobRow]],
        place_of: Callable[[JobRow], Provider],
        place_key: Callable[[JobRow], str],
        ledger: Ledger,
        interval: float | None = None,
    ) -> None:
        self._active, self._place_of, self._place_key = active, place_of, place_key
        self._ledger, self._interval = ledger, interval
        self._updates: queue.SimpleQueue[Update] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._places: dict[str, _Place] = {}
        self._given_up: set[str] = set()  # asking again does not help: a person has to look

    def run(self) -> Generator[Update, None, None]:
        """What each look brings, in the order in which it comes. Closing it stops the looking;
        the jobs go on."""
        try:
            while self._spread():
                deadline = clock.monotonic() + min(
                    place.interval for place in self._places.values()
                )
                yield from self._until(deadline)
            yield from self._rest()
        finally:
            self._stop.set()
            for place in self._places.values():
                place.join()

    def _spread(self) -> bool:
        """Give each place its jobs as the ledger has them now; False where none is left."""
        jobs: dict[str, list[JobRow]] = {}
        for row in self._active():
            if row.id in self._given_up:
                continue
            jobs.setdefault(self._place_key(row), []).append(row)
        for key, place in list(self._places.items()):
            if not place.is_alive():
                del self._places[key]
        for key, rows in jobs.items():
            if key not in self._places:
                provider = self._place_of(rows[0])
                interval = provider.poll_seconds if self._interval is None else self._interval
                place = _Place(
                    provider, self._ledger, interval, self._updates, self._stop, self._given_up
                )
                self._places[key] = place
                place.follow(rows)
                place.start()
            else:
                self._places[key].follow(rows)
        return any(place.is_alive() for place in self._places.values())

    def _until(self, deadline: float) -> Iterator[Update]:
        while (left := deadline - clock.monotonic()) > 0:
            with suppress(queue.Empty):
                yield self._updates.get(timeout=min(left, 0.2))
            if not any(place.is_alive() for place in self._places.values()):
                return

    def _rest(self) -> Iterator[Update]:
        with suppress(queue.Empty):
            while True:
                yield self._updates.get_nowait()


class _Place(threading.Thread):
    """One provider, reached in one way, and the jobs that are there."""

    def __init__(
        self,
        provider: Provider,
        ledger: Ledger,
        interval: float,
        updates: queue.SimpleQueue[Update],
        stop: threading.Event,
        given_up: set[str],
    ) -> None:
        super().__init__(name=f"watch-{provider.name}", daemon=True)
        self.interval = interval
        self._provider, self._ledger = provider, ledger
        self._updates, self._halt = updates, stop
        self._pace = Pace(provider.requests_per_second)
        self._lock = threading.Lock()
        self._jobs: dict[str, JobRow] = {}
        self._given_up = given_up
        self._owed: set[str] = set()  # jobs that have changed since their events were fetched
        self._history_at: dict[str, tuple[float, float]] = {}  # job -> when due, and the gap

    def follow(self, rows: Iterable[JobRow]) -> None:
        """Take on jobs that are not followed yet."""
        with self._lock:
            for row in rows:
                self._jobs.setdefault(row.id, row)

    def run(self) -> None:
        rhythm = Rhythm(self.interval)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix=self.name) as pool:
            while not self._halt.is_set():
                with self._lock:
                    jobs = dict(self._jobs)
                if not jobs:
                    return
                try:
                    news, trouble = self._round(jobs, pool)
                except FtbridgeError as error:  # the ledger: locked, or the disk is full
                    news, trouble = False, True
                    self._updates.put(Update(next(iter(jobs.values())), [], trouble=error))
                with self._lock:
                    going = any(not row.is_final for row in self._jobs.values())
                if going or trouble:  # else only events are left to fetch
                    self._halt.wait(rhythm.next(news=news, trouble=trouble))

    def _round(self, jobs: dict[str, JobRow], pool: ThreadPoolExecutor) -> tuple[bool, bool]:
        """One look at every job: whether there was news, and whether there was trouble."""
        by_remote = {str(row.remote_id): row for row in jobs.values() if not row.is_final}
        looks = [
            (piece, pool.submit(self._ask, piece))
            for piece in _pieces(list(by_remote), max(1, self._provider.batch))
        ]
        news, trouble = False, False
        for piece, look in looks:
            remotes, error = _outcome(look)
            if error is not None and len(piece) > 1 and not may_pass(error):
                # one job of theirs may be the cause: ask for each alone
                looks += [([one], pool.submit(self._ask, [one])) for one in piece]
                continue
            trouble = trouble or error is not None
            for remote_id in piece:
                if remotes is None:
                    self._report(by_remote[remote_id], error)
                elif self._see(by_remote[remote_id], remotes[remote_id]):
                    news = True
        for future in [pool.submit(self._complete, row) for row in self._chosen()]:
            news = bool(_outcome(future)[0]) or news
        return news, trouble

    def _chosen(self) -> list[JobRow]:
        """The jobs whose events to fetch now: changed ones first, then quiet ones that are due.

        Never more than half an interval's worth, so that the next look at the states comes in
        time; the others keep their turn.
        """
        rate = self._provider.requests_per_second
        room = max(1, int(rate * self.interval / 2)) if rate else len(self._jobs)
        with self._lock:
            rows = list(self._jobs.values())
        owed = [row for row in rows if row.id in self._owed or row.is_final]
        now = clock.monotonic()
        quiet = [
            row
            for row in rows
            if not (row.id in self._owed or row.is_final)
            and self._history_at.get(row.id, (0.0, 0.0))[0] <= now
        ]
        return (owed + quiet)[:room]

    def _ask(self, remote_ids: list[str]) -> dict[str, RemoteJob]:
        self._pace.wait(self._halt)
        if len(remote_ids) == 1:
            return {remote_ids[0]: patiently(self._provider, self._provider.get, remote_ids[0])}
        return patiently(self._provider, self._provider.get_many, remote_ids)

    def _see(self, row: JobRow, remote: RemoteJob) -> bool:
        """Keep what the vendor says of a job; whether its state has changed."""
        update = record_state(row, remote, self._provider, self._ledger)
        changed = (update.job.state, update.job.raw_state) != (row.state, row.raw_state)
        with self._lock:
            self._jobs[row.id] = update.job
        if changed:
            self._owed.add(row.id)
        if update.job != row or update.warnings:
            self._updates.put(update)
        return changed

    def _complete(self, row: JobRow) -> bool:
        """Fetch a job's events; a job that has ended is let go once they are kept."""
        self._pace.wait(self._halt)
        try:
            new = record_history(row, self._provider, self._ledger)
        except FtbridgeError as error:
            self._report(row, error)
            return False
        self._owed.discard(row.id)
        if new:
            self._updates.put(Update(row, new))
        _, gap = self._history_at.get(row.id, (0.0, self.interval))
        gap = self.interval if new else min(gap * 2, self.interval * QUIET_FACTOR)
        self._history_at[row.id] = (clock.monotonic() + gap, gap)
        if row.state not in ACTIVE:
            with self._lock:
                self._jobs.pop(row.id, None)
        return bool(new)

    def _report(self, row: JobRow, error: FtbridgeError | None) -> None:
        if isinstance(error, ProviderError) and not may_pass(error):
            self._given_up.add(row.id)
            with self._lock:
                self._jobs.pop(row.id, None)
        self._updates.put(Update(row, [], trouble=error))


def _outcome(future: Future[T]) -> tuple[T, None] | tuple[None, FtbridgeError]:
    try:
        return future.result(), None
    except FtbridgeError as error:
        return None, error


def _pieces(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
