"""``ftbridge compare DATA``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ftbridge.cli.session import Session, money
from ftbridge.cli.session import command as common
from ftbridge.compare import Offer


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--family", help="Only this open model, wherever it is tuned.")
@click.option("--method", default="sft", show_default=True, help="sft, dpo or rl.")
@click.option("--grader", metavar="FILE", help="What scores answers (method rl): JSON or TOML.")
@click.option("--n-epochs", type=int, help="Passes over the data.")
@click.option("--privacy", help="A label for the data; one beside the file may be stricter.")
@click.option("--calibrate", is_flag=True, help="Measure this machine's speed first (a minute).")
@common
def command(session: Session, data: Path, calibrate: bool, **wanted: Any) -> None:
    """What training on DATA would cost, at every place that can do it. Sends nothing."""
    if calibrate:
        session.note("measuring this machine ...")
        session.bridge.calibrate()
    found = session.bridge.compare(data, **wanted)
    session.document(
        {
            "offers": [_offer(offer) for offer in found.offers],
            "excluded": [vars(item) for item in found.excluded],
        }
    )
    session.table(
        ("provider", "model", "adapter", "USD", "tokens", "tokens counted with"),
        [
            (
                offer.provider,
                offer.model,
                offer.adapter,
                money(offer.usd.low, offer.usd.high),
                f"{offer.tokens.billed_high:,}",
                f"{offer.tokens.counter}, {offer.tokens.label}",
            )
            for offer in found.offers
        ],
    )
    notes = [(o.provider, note) for o in found.offers for note in (*o.basis[1:], *o.notes)]
    for provider, note in dict.fromkeys(notes):
        session.lines(f"{provider}: {note}")
    for item in found.excluded:
        session.lines(f"not {item.provider}: {item.reason}")


def _offer(offer: Offer) -> dict[str, Any]:
    tokens = offer.tokens
    return vars(offer) | {
        "usd": offer.usd.model_dump(),
        "tokens": tokens.document(),
    }
