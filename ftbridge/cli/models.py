"""``ftbridge models``."""

from __future__ import annotations

from typing import Any

import click

from ftbridge import registry
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.group(invoke_without_command=True)
@click.option("--family", help="Only this open model.")
@click.option("--provider", help="Only at this provider.")
@common
@click.pass_context
def command(ctx: click.Context, session: Session, family: str | None, provider: str | None) -> None:
    """Which models can be tuned where; `fetch` brings one onto this machine."""
    if ctx.invoked_subcommand:
        return
    chosen = [registry.load(provider)] if provider else registry.all_providers()
    rows: list[dict[str, Any]] = [
        {
            "provider": place.name,
            "model": row.model,
            "family": row.family,
            "methods": [str(method) for method in row.methods],
            "adapters": [str(adapter) for adapter in row.adapters],
            "context": row.context,
            "as_of": row.as_of.isoformat(),
            "closes": _closes(place.catalogue().closing, row),
        }
        for place in chosen
        for row in place.catalogue().models
        if family in (None, row.family, row.model)
    ]
    session.document({"models": rows})
    session.table(
        ("provider", "model", "family", "methods", "adapters", "context", "closes", "as of"),
        [
            (
                row["provider"],
                row["model"],
                row["family"],
                " ".join(row["methods"]),
                " ".join(row["adapters"]),
                row["context"],
                row["closes"],
                row["as_of"],
            )
            for row in rows
        ],
    )


@command.command("fetch")
@click.argument("name")
@common
def fetch(session: Session, name: str) -> None:
    """Bring the base model NAME (a short name or hub id) onto this machine."""
    path = session.bridge.fetch_model(name, session.note)
    session.document({"model": name, "path": str(path)})
    session.lines(str(path))


def _closes(closing: Any, row: Any) -> str | None:
    """The first day after which no new job is taken."""
    days = [day for day in (closing and closing.closed_after, row.closed_after, row.ends) if day]
    return min(days).isoformat() if days else None
