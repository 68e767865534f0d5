"""``ftbridge jobs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ftbridge.cli.session import Session, deployed
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs
from ftbridge.errors import UsageError
from ftbridge.files import atomic_write
from ftbridge.job import Job
from ftbridge.jobs.states import State


@click.command()
@click.option("--limit", type=click.IntRange(1), help="How many (20 for people, all with --json).")
@click.option("--provider", help="Only of this provider.")
@click.option("--state", "states", multiple=True, help="Only in this state; may be repeated.")
@click.option("--tag", metavar="K=V", help="Only with this tag.")
@click.option("--since", metavar="DATE", help="Only made on or after this moment or day.")
@click.option("--export", type=click.Path(path_type=Path), help="Write them here as JSONL.")
@click.option("--html", type=click.Path(path_type=Path), help="Write an overview as a page.")
@common
def command(
    session: Session, limit: int | None, export: Path | None, html: Path | None, **wanted: Any
) -> None:
    """List jobs, newest first, as they were at the last look."""
    filters = _filters(**wanted)
    if export is not None:
        count = _export(session, export, filters)
        session.document({"exported": count, "file": str(export)})
        session.lines(f"{count} jobs in {export}")
        return
    if html is not None:
        count = _overview(session, html, session.bridge.jobs(limit=limit, **filters))
        session.document({"jobs": count, "html": str(html)})
        session.lines(f"{count} jobs in {html}")
        return
    if limit is None and not session.as_json:
        limit = 20
    found = session.bridge.jobs(limit=limit, **filters)
    serving = session.bridge.ledger.deployments.serving()
    session.document({"jobs": [job.to_dict(serving) for job in found]})
    session.table(
        ("job", "provider", "base model", "state", "made", "tuned model", "deployed"),
        [
            (job.id, job.provider, job.row.model, job.state, job.row.created_at[:16], job.model,
             ", ".join(map(deployed, serving.running.get(job.id, []))))
            for job in found
        ],
    )  # fmt: skip


def _filters(
    provider: str | None, states: tuple[str, ...], tag: str | None, since: str | None
) -> dict[str, Any]:
    unknown = [state for state in states if state not in list(State)]
    if unknown:
        raise UsageError(f"`{unknown[0]}` is no state", hint=f"one of: {', '.join(State)}")
    return {
        "provider": provider,
        "states": [State(state) for state in states],
        "tag": next(iter(pairs((tag,), "--tag").items())) if tag else None,
        "since": since,
    }


def _overview(session: Session, path: Path, jobs: list[Job]) -> int:
    """States, money by month and verdicts of these jobs on one page."""
    page = session.bridge.overview(jobs)
    with atomic_write(path.absolute()) as stream:
        stream.write(page.encode())
    return len(jobs)


def _export(session: Session, path: Path, filters: dict[str, Any]) -> int:
    """Everything that the ledger has on each job: the JSON form, its spec, plan and events."""
    count = 0
    with atomic_write(path.absolute()) as stream:
        for document in session.bridge.export_jobs(**filters):
            line = json.dumps(document, default=float, ensure_ascii=False)
            stream.write(line.encode() + b"\n")
            count += 1
    return count
