"""``ftbridge providers``."""

from __future__ import annotations

from typing import Any

import click

from ftbridge import registry
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.provider import OPERATIONS, Provider


@click.command()
@click.argument("name", required=False)
@common
def command(session: Session, name: str | None) -> None:
    """What can be done where. With NAME, also what that provider cannot do, and why."""
    chosen = [registry.load(name)] if name else registry.all_providers()
    session.document({"providers": [_row(provider) for provider in chosen]})
    session.table(
        ("provider", "kind", "methods", "adapters", "installed", "closes", "as of"),
        [
            (
                row["provider"],
                row["kind"],
                " ".join(row["methods"]),
                " ".join(row["adapters"]),
                "yes" if row["installed"] else row["install_hint"],
                row["closes"],
                row["as_of"],
            )
            for row in map(_row, chosen)
        ],
    )
    if name and (why := chosen[0].catalogue().nothing):
        session.lines(f"{why.message} (as of {why.as_of}: {why.source}); {why.hint}")
    elif name:
        for operation, reason in sorted(chosen[0].absent.items()):
            session.lines(f"no {operation}: {reason}")


def _row(provider: type[Provider]) -> dict[str, Any]:
    catalogue = provider.catalogue()
    closing = catalogue.closing
    return {
        "provider": provider.name,
        "title": catalogue.title,
        "kind": provider.kind,
        "methods": [str(method) for method in catalogue.methods],
        "adapters": [str(adapter) for adapter in catalogue.adapters],
        "operations": [name for name in OPERATIONS if provider.supports(name)],
        "absent": dict(provider.absent),
        "installed": not provider.missing(),
        "install_hint": provider.install_hint(),
        "nothing": catalogue.nothing.message if catalogue.nothing else None,
        "as_of": catalogue.as_of.isoformat(),
        "closes": closing.closed_after.isoformat() if closing else None,
    }
