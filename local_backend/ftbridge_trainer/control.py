"""Stopping from outside, and the locks that keep two runs apart."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from .errors import TrainerError
from .world import World

POLL_SECONDS = 0.2


class Stopped(Exception):
    """Raised where a wait or a preparation ends early; `state` is "cancelled" or "paused"."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class Control:
    """Listens for `cancel` and `pause` files and for SIGTERM and SIGINT (both mean pause)."""

    def __init__(self, run_path: Path, world: World) -> None:
        self.world = world
        self._cancel = run_path / "cancel"
        self._pause = run_path / "pause"
        self._signalled = False

    def wanted(self) -> str | None:
        """The state that was asked for: "cancelled", "paused" or None. All processes agree."""
        return self.world.agree(self.asked())

    def asked(self) -> str | None:
        """What this process sees asked for. Cancel wins."""
        if self._cancel.exists():
            return "cancelled"
        if self._signalled or self._pause.exists():
            return "paused"
        return None

    def check(self) -> None:
        """Stop here if asked to (only before training: later a checkpoint comes first)."""
        state = self.wanted()
        if state is not None:
            raise Stopped(state)

    def honoured(self, state: str) -> None:
        """A pause ends with the next start; a cancel stays until the caller takes it back."""
        if state == "paused":
            self._pause.unlink(missing_ok=True)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Route the signals here while the block runs; Python lets the main thread alone do it
        (elsewhere, as in a worker of Ray's, the files `pause` and `cancel` ask)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(_number: int, _frame: FrameType | None) -> None:
            self._signalled = True

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def run_lock(run_path: Path) -> Iterator[None]:
    """One trainer a run directory. The kernel frees the lock however the process ends."""
    handle = os.open(run_path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _try_lock(handle):
            raise TrainerError(
                "already_running",
                f"another process is training in {run_path}",
                "watch its status.json, or use another run directory",
            )
        yield
    finally:
        os.close(handle)


@contextmanager
def device_lock(path: Path | None, control: Control, waiting: Callable[[], None]) -> Iterator[None]:
    """Wait for the device; `waiting` is called once if another run holds it, or came before.

    The first process waits for all of them, and tells the others how that ended.
    """
    handle = None
    try:
        stopped = None
        if path is not None and control.world.first:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            with standing_in(path.with_name(f"{path.name}.queue")) as turn:
                stopped = _wait(handle, turn, control, waiting)
        stopped = control.world.agree(stopped)
        if stopped is not None:
            raise Stopped(stopped)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _wait(
    handle: int, turn: Callable[[], bool], control: Control, waiting: Callable[[], None]
) -> str | None:
    """Wait for our turn and the lock, or for a request to stop, which is returned."""
    if turn() and _try_lock(handle):
        return None
    waiting()
    while not (turn() and _try_lock(handle)):
        if (stopped := control.asked()) is not None:
            return stopped
        time.sleep(POLL_SECONDS)
    return None


@contextmanager
def standing_in(queue: Path) -> Iterator[Callable[[], bool]]:
    """A place at the end of a queue, first come, first served; the block learns whether nobody
    stands before us.

    A place is a file named by the time, locked by who stands there: where that process has died
    the lock is free, and the place is cleared away.
    """
    queue.mkdir(parents=True, exist_ok=True)
    place = queue / f"{time.time_ns():020d}-{os.getpid()}"
    aside = queue / f".{place.name}"
    handle = os.open(aside, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        aside.rename(place)  # nobody sees it without its lock
        yield lambda: not any(_stands(other) for other in _before(place))
    finally:
        place.unlink(missing_ok=True)
        os.close(handle)


def _before(place: Path) -> list[Path]:
    return [other for other in place.parent.glob("[0-9]*") if other.name < place.name]


def _stands(place: Path) -> bool:
    """Whether somebody holds that place; an abandoned one is removed."""
    try:
        handle = os.open(place, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        if not _try_lock(handle):
            return True
        place.unlink(missing_ok=True)
        return False
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
