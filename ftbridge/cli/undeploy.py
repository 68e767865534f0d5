"""``ftbridge undeploy REF``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs


@click.command()
@click.argument("ref")
@click.option("--option", "options", multiple=True, metavar="K=V", help="Vendor-only setting.")
@common
def command(session: Session, ref: str, options: tuple[str, ...]) -> None:
    """Stop the deployment of REF and its bill. Where there is none, that is no error."""
    row = session.bridge.undeploy(ref, options=pairs(options, "--option"))
    session.document({"undeployed": ref, "deployment": row.to_dict() if row else None})
    if row is None:
        session.lines(f"{ref} has no deployment that we know of; the vendor has none either")
        return
    cost = row.to_dict()["usd_so_far"]
    said = "its cost is not known" if cost is None else f"about {cost:.2f} USD in all"
    session.lines(f"{row.name} {row.state}; {said}")
