"""``ftbridge prices``: list, set, export, refresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ftbridge.arguments import usd
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cost import export, listing, settings
from ftbridge.files import atomic_write

_FILTERS = (
    click.option("--provider", help="Only of this vendor."),
    click.option("--model", help="Only of this model, bracket or machine (a part is enough)."),
    click.option("--item", help="Only of this item, as training_tokens or gpu_hour."),
    click.option("--method", help="Only what holds for this method."),
    click.option("--region", help="Only what holds in this region."),
    click.option("--stale", is_flag=True, help="Only those over 90 days old or of unknown age."),
)


def _filters(function: Any) -> Any:
    for option in reversed(_FILTERS):
        function = option(function)
    return function


@click.group(invoke_without_command=True)
@_filters
@common
@click.pass_context
def command(ctx: click.Context, /, session: Session, **wanted: Any) -> None:
    """The price book: every price with its source, its date and its age."""
    if ctx.invoked_subcommand:
        return
    rows = listing.choose(session.bridge.prices.rows, **wanted)
    session.document({"prices": [listing.document(row) for row in rows]})
    session.table(
        ("provider", "model", "item", "USD", "unit", "holds for", "date", "age", "origin"),
        [
            (
                row.provider,
                row.model,
                row.item,
                f"{row.usd:f}",
                row.unit.removeprefix("usd_per_").replace("_", " "),
                listing.condition(row),
                row.source_date,
                listing.age(row),
                f"{row.origin}, {row.evidence}",
            )
            for row in rows
        ],
    )


@command.command("set")
@click.argument("provider")
@click.argument("model")
@click.argument("item")
@click.argument("amount", metavar="USD")
@click.option("--unit", help="What the USD are for; the item's usual unit if left out.")
@click.option("--method", help="sft, dpo or rl, where the price depends on it.")
@click.option("--adapter", "training_type", help="lora or full, where the price depends on it.")
@click.option("--tier", help="The vendor's tier, where it has several.")
@click.option("--region", help="Where it holds; everywhere if left out.")
@click.option("--source", help="Who says so, as a contract.")
@common
def set_(session: Session, amount: str, **row: Any) -> None:
    """Put a price of your own into config.toml; it wins over every list.

    MODEL may be `*`, for all models of PROVIDER.
    """
    row["unit"] = row["unit"] or listing.usual_unit(row["item"])
    found = settings.set_price(session.bridge.config.home, row | {"usd": usd(amount)})
    session.document({"price": listing.document(found)})
    session.lines(f"{found.provider} {found.model} {found.item}: {found.usd:f} {found.unit}")


@command.command("export")
@_filters
@click.option("--to", "form", type=click.Choice(["toml", "csv", "json"]), default="toml",
              show_default=True, help="The file's form.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file.")
@common
def export_(session: Session, form: str, out: Path, **wanted: Any) -> None:
    """Write prices to a file, in the form that the price lists have or for a spreadsheet."""
    rows = listing.choose(session.bridge.prices.rows, **wanted)
    with atomic_write(out.absolute()) as stream:
        stream.write(export.FORMS[form](rows).encode())
    session.document({"written": len(rows), "file": str(out)})
    session.lines(f"{len(rows)} prices in {out}")


@command.command("refresh")
@click.option("--provider", "providers", multiple=True, help="Only this vendor; may be repeated.")
@click.option("--allow-jumps", is_flag=True, help="Take prices that changed more than fivefold.")
@click.option("--base-url", help="Ask this address instead of the vendors' own (a mirror).")
@common
def refresh_(
    session: Session, providers: tuple[str, ...], allow_jumps: bool, base_url: str | None
) -> int:
    """Read public price sources again. What cannot be read keeps its price and its date."""
    outcomes = session.bridge.refresh_prices(providers, allow_jumps=allow_jumps, base_url=base_url)
    session.document({"refreshed": [listing.outcome(item) for item in outcomes]})
    session.table(
        ("provider", "read", "changed", "not there", "jumped", "error"),
        [
            (
                item.provider,
                item.read,
                len(item.changed),
                len(item.missing),
                len(item.jumped),
                item.error.message if item.error else None,
            )
            for item in outcomes
        ],
    )
    for item in outcomes:
        for line in listing.told(item):
            session.lines(line)
    return 4 if any(item.error for item in outcomes) else 0
