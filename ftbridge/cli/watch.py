"""``ftbridge watch [JOB...]``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import FtbridgeError
from ftbridge.job import Job
from ftbridge.jobs.notify import check_target
from ftbridge.jobs.states import State
from ftbridge.jobs.watch import Update


@click.command()
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--interval", type=click.FloatRange(0.01, 86400), help="Seconds between looks.")
@click.option("--notify", metavar="COMMAND|URL", help="Run, or POST to, at a final state.")
@common
def command(
    session: Session, jobs: tuple[str, ...], interval: float | None, notify: str | None
) -> int:
    """Follow JOBs to their final states; without JOB, every active one. Ctrl-C leaves them
    running. A notified command is run without a shell, the job's JSON on its stdin."""
    if notify is not None:
        check_target(notify)
    _retention(session)
    if len(jobs) == 1:
        return follow(session, session.bridge.job(jobs[0]), interval, notify)
    return _follow_many(session, [session.bridge.job(job) for job in jobs], interval, notify)


def follow(
    session: Session, job: Job, interval: float | None = None, notify: str | None = None
) -> int:
    """Show a job until its end, then its document; raises where it did not succeed."""
    try:
        with session.progress(job.id, 1.0) as update:
            for seen in job.watch(interval):
                update(seen.job.progress or 0.0, str(seen.job.state))
                _tell(session, seen)
    except KeyboardInterrupt:
        click.echo(f"\n{job.id} goes on; come back with `ftbridge watch {job.id}`", err=True)
        raise
    _retention(session, [job])
    if notify is not None and job.row.is_final:
        job.notify(notify)
    if session.as_json and job.row.is_final:
        session.document(_final(job))
        return 0 if job.state == "succeeded" else 1
    job.require_success()
    session.lines(f"{job.id} {job.state}: {job.model}")
    return 0


def _final(job: Job) -> dict[str, Any]:
    """The document of an ended job; where it did not succeed, with an error of full shape."""
    content = job.to_dict()
    try:
        job.require_success()
    except FtbridgeError as error:
        said = {name: value for name, value in (job.row.error or {}).items() if value}
        content["error"] = error.to_dict() | said
    return content


def _follow_many(
    session: Session, jobs: list[Job], interval: float | None, notify: str | None
) -> int:
    last: dict[str, Update] = {}
    for job in jobs:
        if job.row.is_final and notify is not None:
            _notify(session, job, notify)
    try:
        for seen in _updates(session, jobs, interval):
            ended = seen.job.is_final and not _was_final(last.get(seen.job.id))
            last[seen.job.id] = seen
            _tell(session, seen, name=True)
            if ended:
                job = session.bridge.job(seen.job.id)
                session.lines(f"{job.id} {job.state}: {job.model or '-'}")
                if notify is not None:
                    _notify(session, job, notify)
    except KeyboardInterrupt:
        click.echo("\nthe jobs go on; come back with `ftbridge watch`", err=True)
        raise
    found = [session.bridge.job(job_id) for job_id in ([job.id for job in jobs] or last)]
    _retention(session, found)
    session.document({"jobs": [job.to_dict() for job in found]})
    lost = [seen.trouble for seen in last.values() if seen.trouble and not seen.job.is_final]
    if lost:
        return lost[0].exit_code
    return 0 if all(job.state is State.SUCCEEDED for job in found) else 1


def _updates(session: Session, jobs: list[Job], interval: float | None) -> Iterator[Update]:
    with closing(session.bridge.watch(jobs or None, interval=interval)) as updates:
        yield from updates


def _was_final(seen: Update | None) -> bool:
    return seen is not None and seen.job.is_final


def _tell(session: Session, seen: Update, *, name: bool = False) -> None:
    prefix = f"{seen.job.id} " if name else ""
    for event in seen.new_events:
        session.note(f"{prefix}{event.time[11:19]} {event.level}: {event.message}")
    for warning in seen.warnings:
        click.echo(f"warning: {warning}", err=True)
    if seen.trouble is not None:
        click.echo(f"warning: {seen.job.id}: {seen.trouble.message}", err=True)


def _retention(session: Session, jobs: list[Job] | None = None) -> None:
    """What a policy's ``retention`` no longer lets lie at a vendor is deleted there."""
    for sentence in session.bridge.purge_overdue(jobs):
        click.echo(f"retention: {sentence}", err=True)


def _notify(session: Session, job: Job, target: str) -> None:
    """One failure to notify must not end the watch over the others."""
    try:
        job.notify(target)
    except FtbridgeError as error:
        click.echo(f"warning: {job.id}: {error.message}", err=True)
