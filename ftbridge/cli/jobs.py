"""``ftbridge jobs``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs
from ftbridge.errors import UsageError
from ftbridge.jobs.states import State


@click.command()
@click.option("--limit", type=int, help="How many (20 for people, all with --json).")
@click.option("--provider", help="Only of this provider.")
@click.option("--state", "states", multiple=True, help="Only in this state; may be repeated.")
@click.option("--tag", metavar="K=V", help="Only with this tag.")
@click.option("--since", metavar="DATE", help="Only made on or after this day.")
@common
def command(
    session: Session,
    limit: int | None,
    provider: str | None,
    states: tuple[str, ...],
    tag: str | None,
    since: str | None,
) -> None:
    """List jobs, newest first, as they were at the last look."""
    unknown = [state for state in states if state not in list(State)]
    if unknown:
        raise UsageError(f"`{unknown[0]}` is no state", hint=f"one of: {', '.join(State)}")
    if limit is None and not session.as_json:
        limit = 20
    found = session.bridge.jobs(
        limit=limit,
        provider=provider,
        states=[State(state) for state in states],
        tag=next(iter(pairs((tag,), "--tag").items())) if tag else None,
        since=since,
    )
    session.document({"jobs": [job.to_dict() for job in found]})
    session.table(
        ("job", "provider", "base model", "state", "made", "tuned model"),
        [
            (job.id, job.provider, job.row.model, job.state, job.row.created_at[:16], job.model)
            for job in found
        ],
    )
