"""Who may act on a job: one process at a time, and a dead one never for long."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ftbridge.errors import OperationFailed

if TYPE_CHECKING:
    from ftbridge.jobs.ledger.jobs import Jobs

SECONDS = 900.0
"""Longer than the longest single upload we expect; a lease is renewed before each step."""


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
def held(jobs: Jobs, job_id: str) -> Iterator[str]:
    """Hold a job's lease for the block.

    Raises:
        OperationFailed: where another process is acting on the job.
    """
    owner = new_owner()
    if not jobs.lease(job_id, owner, SECONDS):
        raise OperationFailed(
            f"another process is acting on {job_id}",
            hint=f"wait for it, or follow with `ftbridge watch {job_id}`",
            where=job_id,
            code="busy",
        )
    try:
        yield owner
    finally:
        jobs.release(job_id, owner)
