"""``ftbridge policy``."""

from __future__ import annotations

from typing import Any

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs


@click.group(invoke_without_command=True)
@common
@click.pass_context
def command(ctx: click.Context, session: Session) -> None:
    """Which data may go where: the rules in force, and what they say. Alone it is `show`."""
    if not ctx.invoked_subcommand:
        _show(session)


@command.command("show")
@common
def show(session: Session) -> None:
    """The policy files in force here, the machine's first; each can only narrow the others."""
    _show(session)


def _show(session: Session) -> None:
    found = session.bridge.describe_policy()
    session.document(found)
    for name, text in found["default"].items():
        session.lines(f"default: {name}: {text}")
    for layer in found["files"]:
        session.lines(f"{layer['path']}{' (machine)' if layer['machine'] else ''}")
        if layer["fault"]:
            session.lines(f"  cannot be followed, so nothing may be sent: {layer['fault']}")
        for line in _rules(layer["policy"] or {}):
            session.lines(f"  {line}")
    if not found["files"]:
        session.lines("no policy file")


@command.command("check")
@click.argument("data")
@click.option("--provider", required=True, help="Where it would go.")
@click.option("--validation", metavar="FILE", help="A validation file that would go with it.")
@click.option("--privacy", help="A label; one beside the file may be stricter.")
@click.option("--option", "options", multiple=True, metavar="K=V", help="Vendor-only setting.")
@click.option("--base-url", help="Another address than the vendor's.")
@common
def check(session: Session, data: str, options: tuple[str, ...], **wanted: Any) -> int:
    """May DATA go to a provider? By which rule? Sends nothing. Exit 5 where it may not."""
    found = session.bridge.check_policy(data, options=pairs(options, "--option"), **wanted)
    if not found.allowed:
        error = found.refusal()
        error.document = found.to_dict()
        raise error
    session.document(found.to_dict())
    session.lines(f"allowed by {found.rule}: {found.message}", f"label from {found.label}")
    for note in found.notes:
        session.lines(f"note: {note}")
    return 0


@command.command("explain")
@click.argument("job")
@common
def explain(session: Session, job: str) -> None:
    """Why JOB's data went where it went, what left, and what the policy would say today."""
    found = session.bridge.job(job).explain_policy()
    session.document(found)
    session.lines(
        f"{found['job']}: labelled {found['privacy']} (from {found['label'] or 'its spec'})",
        f"planned for {found['provider']}, {found['account']}, region {found['region'] or '-'}, "
        f"by {found['rule'] or 'the rule of an older ftbridge'}",
        f"today: {'allowed' if found['today']['allowed'] else 'refused'} by "
        f"{found['today']['rule']}: {found['today']['message']}",
    )
    for entry in found["egress"]:
        session.lines(
            f"{entry['time']} {entry['action']} {entry['rows']} rows, sha256 "
            f"{entry['sha256'][:12]}, as {entry['remote_id'] or '-'}"
        )


def _rules(policy: dict[str, Any]) -> list[str]:
    lines = [f"{name} = {policy[name]}" for name in policy if name != "allow" and policy[name]]
    for number, row in enumerate(policy.get("allow", ()), 1):
        told = [f"{name}: {', '.join(row[name])}" for name in row if name != "name" and row[name]]
        lines.append(f"allow.{row['name'] or number}: {'; '.join(told)}")
    return lines
