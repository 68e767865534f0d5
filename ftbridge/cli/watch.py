"""``ftbridge watch JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.job import Job


@click.command()
@click.argument("job")
@click.option("--interval", type=float, help="Seconds between looks.")
@common
def command(session: Session, job: str, interval: float | None) -> int:
    """Follow JOB to its final state. Ctrl-C leaves the job running."""
    return follow(session, session.bridge.job(job), interval)


def follow(session: Session, job: Job, interval: float | None = None) -> int:
    """Show a job until its end, then its document; raises where it did not succeed."""
    try:
        with session.progress(job.id, 1.0) as update:
            for seen in job.watch(interval):
                update(seen.job.progress or 0.0, str(seen.job.state))
                for event in seen.new_events:
                    session.note(f"{event.time[11:19]} {event.level}: {event.message}")
    except KeyboardInterrupt:
        click.echo(f"\n{job.id} goes on; come back with `ftbridge watch {job.id}`", err=True)
        raise
    if session.as_json and job.row.is_final:
        session.document(job.to_dict())
        return 0 if job.state == "succeeded" else 1
    job.require_success()
    session.lines(f"{job.id} {job.state}: {job.model}")
    return 0
