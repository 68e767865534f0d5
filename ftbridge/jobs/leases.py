"""Who may act on a job: one process at a time, and a dead one never for long."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ftbridge import clock
from ftbridge.errors import OperationFailed

if TYPE_CHECKING:
    from ftbridge.jobs.ledger.steps import Steps

SECONDS = 900.0
"""Longer than the longest single upload we expect; a lease is renewed before each step."""

WAIT_SECONDS = 30.0
"""How long to wait for another process that acts on the same job."""


def new_owner() -> str:
    """A name for this piece of work: machine, process, and a random part."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Whether the owner was a process of this machine that no longer runs."""
    host, _, rest = owner.partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def held(steps: Steps, job_id: str, wait: float = WAIT_SECONDS) -> Iterator[str]:
    """Hold a job's lease for the block.

    Args:
        wait: seconds to wait for another process.

    Raises:
        OperationFailed: with the code ``busy``, where another process goes on acting on the job.
    """
    owner = new_owner()
    _take(steps, job_id, owner, wait)
    try:
        yield owner
    finally:
        steps.release(job_id, owner)


def _take(steps: Steps, job_id: str, owner: str, wait: float) -> None:
    deadline, pause = clock.monotonic() + wait, 0.02
    while not steps.lease(job_id, owner, SECONDS):
        if clock.monotonic() + pause > deadline:
            raise OperationFailed(
                f"another process is acting on {job_id}",
                hint=f"wait for it, or follow with `ftbridge watch {job_id}`",
                where=job_id,
                code="busy",
            )
        clock.sleep(pause)
        pause = min(pause * 1.5, 1.0)
