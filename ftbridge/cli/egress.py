"""``ftbridge egress``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import OperationFailed


@click.group(invoke_without_command=True)
@common
@click.pass_context
def command(ctx: click.Context, session: Session) -> None:
    """The account of what left this machine: hash-chained, added to and never changed.

    Nothing of the data is in it: content is known by its hash. Alone it is `list`.
    """
    if not ctx.invoked_subcommand:
        _show(session, None)


@command.command("list")
@click.option("--job", metavar="JOB", help="Only what this job sent.")
@common
def list_(session: Session, job: str | None) -> None:
    """What was sent, where, under which label and rule, and what was deleted there again."""
    _show(session, job)


def _show(session: Session, job: str | None) -> None:
    entries = list(session.bridge.egress(job))
    session.document({"entries": [entry.to_dict() for entry in entries]})
    session.table(
        ("#", "time", "what", "job", "rows", "label", "provider", "account", "region", "remote id",
         "sha256", "rule"),
        [
            (e.id, e.time, e.action, e.job_id, e.rows, e.privacy, e.provider, e.account, e.region,
             e.remote_id, e.sha256[:12], e.rule)
            for e in entries
        ],
    )  # fmt: skip


@command.command("verify")
@click.option("--head", metavar="HASH", help="An entry's hash noted down earlier: is it there?")
@common
def verify(session: Session, head: str | None) -> None:
    """Recompute the chain: the first entry that was changed, moved or follows a removed one.

    Note the printed head down elsewhere: only that shows when the newest entries are removed.
    """
    found = session.bridge.verify_egress(head)
    document = vars(found) | {"ok": found.ok}
    if not found.ok:
        raise OperationFailed(
            _fault(found.fault, found.reason, found.missing),
            hint="restore ledger.db from a backup, and find out who can write to the home",
            where=f"egress entry {found.fault}" if found.fault is not None else "egress",
            code="egress_tampered",
            document=document,
        )
    session.document(document)
    session.lines(f"{found.entries} entries hold; head {found.head or '-'}")


@command.command("export")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The file.")
@common
def export(session: Session, out: Path) -> None:
    """Write every entry as one JSON line, for whoever audits."""
    written, head = session.bridge.export_egress(out)
    session.document({"written": written, "out": out, "head": head})
    session.lines(f"{written} entries in {out}; head {head or '-'}")


def _fault(entry: int | None, reason: str, missing: tuple[str, ...]) -> str:
    if entry is not None:
        return f"egress entry {entry}: {reason}"
    if reason:
        return reason
    return f"files were sent that have no entry any more: {', '.join(missing[:10])}"
